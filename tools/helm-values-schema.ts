import { z } from 'zod';
import { Settings as Auth } from '../services/auth/src/settings.ts';
import { Settings as Registry } from '../services/config-registry/src/settings.ts';
import { Settings as Edge } from '../services/edge-proxy/src/settings.ts';
import { Settings as Mirror } from '../services/quota-mirror/src/settings.ts';
import { Settings as Limits } from '../services/ratelimit/src/settings.ts';

/**
 * The schema of the Helm chart's values (draft-07, which Helm reads): what is not named here is refused, a setting
 * that no process knows, too. `npm run docs` writes it beside the chart.
 */

/** Said by the chart itself, from other values or from Secrets; or of no use with it. */
const GIVEN_BY_THE_CHART = [
  ...['STATUS_HOST', 'STATUS_PORT', 'INSTANCE', 'DRAIN_TIMEOUT_MS', 'DATA_DIR', 'PLUGINS_DIR'],
  ...['NATS_URL', 'NATS_USER', 'NATS_PASSWORD', 'NATS_REPLICAS'],
  ...['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_DB', 'REDIS_PASSWORD', 'API_KEY_PEPPER'],
  ...['PROXY_HOST', 'PROXY_PORT', 'TLS_PORT', 'REUSE_PORT', 'SHUTDOWN_DELAY_MS'],
  ...['ADMIN_HOST', 'ADMIN_PORT', 'ADMIN_TOKENS', 'ADMIN_TLS_PORT', 'ADMIN_TLS_CERT', 'ADMIN_TLS_KEY'],
  ...['DECLARATIVE_CONFIG', 'DECLARATIVE_CONFIG_WHEN'],
];

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
const maybe = (pattern: string) => z.string().regex(new RegExp(`^(${pattern})?$`));
const maybeName = maybe('[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?');
const texts = z.record(z.string(), z.string());
const port = z.int().min(1).max(65_535);
const count = z.int().min(1).max(1000);
const seconds = z.int().min(0).max(3600);
const quantity = z.union([
  z.string().regex(/^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/),
  z.number().min(0),
]);
const amounts = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  'ephemeral-storage': quantity.optional(),
});
const host = z.string().regex(/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);

const selector = z.strictObject({
  matchLabels: texts.optional(),
  matchExpressions: z.array(z.looseObject({})).optional(),
});
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/);
const peer = z
  .strictObject({
    podSelector: selector.optional(),
    namespaceSelector: selector.optional(),
    ipBlock: z.strictObject({ cidr, except: z.array(cidr).optional() }).optional(),
  })
  .meta({ minProperties: 1, description: 'A peer of a NetworkPolicy.' });
// Without any the policy would allow everything.
const peers = z.array(peer).min(1);

const settingsOf = (settings: z.ZodObject) => {
  const described = Object.entries(settings.shape as Record<string, z.ZodType>)
    .filter(([setting]) => !GIVEN_BY_THE_CHART.includes(setting))
    .map(
      ([setting, { description = '' }]) => [setting, z.string().describe(description).optional()] as const,
    );
  return z.strictObject(Object.fromEntries(described)).describe('Variables of docs/settings.md, as texts.');
};

const service = (settings: z.ZodObject) => ({
  replicas: z.int().min(0).max(1000),
  resources: z.strictObject({ requests: amounts, limits: amounts.optional() }),
  settings: settingsOf(settings),
  secretMounts: z
    .array(z.strictObject({ secret: name, path: z.string().regex(/^\/[\w./-]+$/) }))
    .describe('Secrets as folders of files, for the settings that name files.'),
  nodeSelector: texts,
  tolerations: z.array(z.looseObject({})),
  affinity: z.looseObject({}),
  priorityClassName: maybeName,
});

const server = {
  own: z.boolean().describe('One server in this release, for one machine.'),
  image: z.string().min(1),
  storage: quantity,
  port,
  peers,
};

const edge = z.strictObject({
  ...service(Edge),
  autoscaling: z.strictObject({
    ...{ enabled: z.boolean(), minReplicas: count, maxReplicas: count },
    cpuPercent: z.int().min(1).max(100),
    lagMs: z.int().min(0).max(1000).describe('sluice_overload_lag_ms; 0: by CPU alone.'),
  }),
  tls: z.strictObject({ enabled: z.boolean() }),
  service: z.strictObject({ type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']), annotations: texts }),
  ingress: z.strictObject({
    ...{ enabled: z.boolean(), className: maybeName, annotations: texts, hosts: z.array(host) },
    tls: z.array(z.strictObject({ secretName: name, hosts: z.array(host) })),
  }),
  upstreams: peers,
});

const TAG = '[\\w][\\w.-]{0,127}';
const SERVICES = ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror', 'config-registry'] as const;
const byService = (value: z.ZodString) => z.partialRecord(z.enum(SERVICES), value);

const Values = z.strictObject({
  global: z.looseObject({}).optional().describe('Helm’s own, for charts that hold this one.'),
  image: z.strictObject({
    ...{
      registry: z.string().regex(/^([\w.:/-]*[\w])?$/),
      repository: z.string().regex(/^[a-z0-9][a-z0-9._/-]*$/),
    },
    tag: maybe(TAG),
    tags: byService(z.string().regex(new RegExp(`^${TAG}$`))).describe('By service, instead of the tag.'),
    digests: byService(z.string().regex(/^sha256:[0-9a-f]{64}$/)).describe('By service, instead of a tag.'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    pullSecrets: z.array(name),
  }),
  secrets: z.strictObject({ bus: name, redis: name, admin: name, keys: name, hub: name }),
  config: z.strictObject({ existing: maybeName, text: z.string(), when: z.enum(['changed', 'always']) }),
  issuers: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), z.string().regex(/^https?:\/\/[^@\s]+$/)),
  plugins: z.strictObject({ configMap: maybeName }),
  nats: z.strictObject({
    ...server,
    url: maybe('[^@\\s]+').describe('Without a login, which is in the Secret.'),
    replicas: z.int().min(1).max(5),
  }),
  redis: z.strictObject({
    ...server,
    url: maybe('rediss?(\\+sentinel|\\+cluster)?://[^@\\s]+').describe(
      'Without a login; with one: the Secret.',
    ),
  }),
  traces: z.strictObject({
    endpoint: maybe('https?://[^@\\s]+'),
    protocol: z.enum(['http/protobuf', 'http/json', 'grpc']),
    share: z.string().regex(/^(0|1|0?\.[0-9]+)$/),
    port,
    peers: z.array(peer),
  }),
  drain: z.strictObject({ delaySeconds: seconds, timeoutSeconds: seconds }),
  leaf: z.strictObject({
    enabled: z.boolean(),
    image: z.string().min(1),
    name: maybe('[\\w.-]+'),
    port,
    peers,
  }),
  networkPolicies: z.strictObject({ enabled: z.boolean() }),
  serviceMonitor: z.strictObject({
    ...{ enabled: z.boolean(), interval: z.string().regex(/^[0-9]+(ms|s|m)$/), labels: texts },
  }),
  spread: z.strictObject({
    topologyKey: z.string().min(1),
    whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
  }),
  edge,
  auth: z.strictObject({ ...service(Auth), issuers: z.strictObject({ port, peers }) }),
  ratelimit: z.strictObject(service(Limits)),
  quotaMirror: z.strictObject(service(Mirror)),
  configRegistry: z.strictObject(service(Registry)),
});

export const helmValuesSchema = (): unknown => z.toJSONSchema(Values, { target: 'draft-7', io: 'input' });
