import { RELEASE } from './helm-chart.ts';
import type { Manifest } from './rendered.ts';

/*
 * Chart and overlays are two ways to the same objects. What differs by nature is taken away here, and nothing else:
 * names of the release, labels and annotations by which Helm knows its own, hashes in names of ConfigMaps.
 */

const OF_HELM = [
  'app.kubernetes.io/instance',
  'app.kubernetes.io/version',
  'app.kubernetes.io/managed-by',
  'helm.sh/chart',
  'checksum/config',
];

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const changed = (value: Json, text: (text: string) => string, isLeftOut: (name: string) => boolean): Json => {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => changed(item, text, isLeftOut));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => !isLeftOut(name) && !isEmptied(inner, isLeftOut))
      .map(([name, inner]) => [name, changed(inner, text, isLeftOut)]),
  );
};

const isEmptied = (value: Json, isLeftOut: (name: string) => boolean): boolean => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const names = Object.keys(value);
  return names.length > 0 && names.every(isLeftOut);
};

/** The chart's objects without the name of the release and without what Helm puts on them. */
export const withoutRelease = (manifests: readonly Manifest[]): readonly Manifest[] => {
  const prefix = new RegExp(`(^|//)${RELEASE.name}-`);
  return manifests.map(
    (one) =>
      changed(
        one as Json,
        (text) => text.replace(prefix, '$1'),
        (name) => OF_HELM.includes(name),
      ) as Manifest,
  );
};

/** ConfigMaps of an overlay by the names that they have in the chart. */
const withoutHashes = (manifests: readonly Manifest[]): readonly Manifest[] =>
  manifests.map(
    (one) =>
      changed(
        one as Json,
        (text) =>
          text.replace(/^sluice-(\w+)(-[a-z0-9]{10})?$/, (whole, name, hash) => (hash ? name : whole)),
        () => false,
      ) as Manifest,
  );

const byName = (items: readonly { readonly name: string }[]) =>
  items.toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Where the servers are, the overlay says by a Secret alone, and the chart that has them itself need not ask. */
const withoutAddress = (item: { readonly name: string }) =>
  /^(NATS|REDIS)_URL$/.test(item.name) ? { name: item.name } : item;

/** The tag is the chart's to say; an overlay has `images:` for it. */
const container = (
  { image, imagePullPolicy: _, env = [], ports, volumeMounts, ...rest }: Containers[0],
  isOurs: boolean,
) => ({
  ...rest,
  image: isOurs ? image.replace(/:[^/]*$/, '') : image,
  env: byName(env.map(withoutAddress)),
  ports: byName(ports),
  volumeMounts: byName(volumeMounts),
});

type Workload = Extract<Manifest, { kind: 'Deployment' | 'StatefulSet' }>;
type Containers = Workload['spec']['template']['spec']['containers'];

/** What is compared of an object: all of its spec or data; of its labels those that others select it by. */
const essence = (one: Manifest): unknown => {
  if (one.kind === 'Namespace') return undefined;
  if (one.kind === 'ConfigMap') return one.data;
  if (one.kind === 'Service') {
    const { type = 'ClusterIP', ports, ...rest } = one.spec;
    return { ...rest, type, ports: byName(ports) };
  }
  if (one.kind !== 'Deployment' && one.kind !== 'StatefulSet') return one.spec;
  const { template, ...rest } = one.spec;
  const { containers, volumes, ...pod } = template.spec;
  const isOurs = one.kind === 'Deployment';
  return {
    ...rest,
    labels: template.metadata.labels,
    pod: { ...pod, containers: containers.map((each) => container(each, isOurs)), volumes: byName(volumes) },
  };
};

/** By kind and name; policies are compared as what they allow, see allowances.ts, and namespaces are not the chart's. */
const comparable = (manifests: readonly Manifest[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    manifests
      .filter(({ kind }) => kind !== 'Namespace' && kind !== 'NetworkPolicy')
      .map((one) => [`${one.kind} ${one.metadata.name}`, essence(one)]),
  );

export const ofChart = (manifests: readonly Manifest[]) => comparable(withoutRelease(manifests));
export const ofOverlay = (manifests: readonly Manifest[]) => comparable(withoutHashes(manifests));
