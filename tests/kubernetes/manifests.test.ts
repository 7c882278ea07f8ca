import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';
import { describe, expect, test } from 'vitest';
import { ofKind } from './rendered.ts';
import { SETTINGS, type ServiceName } from './settings.ts';
import { installations } from './sources.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Read beside the settings: what the configuration refers to, and what the registry's warnings look at. */
const BESIDE = /^(\w+_ISSUER|REDIS_URL|OTEL_\w+)$/;
/** ConfigMaps that are there already, by values-whole.yaml. */
const THERE = ['routes', 'plugins'];
const settingsOf = (service: string): object => SETTINGS[service as ServiceName]?.shape ?? {};

describe.each(installations(['dev', 'prod'], ['default', 'dev', 'prod', 'whole']))(
  '%s',
  (from, manifests) => {
    /** The chart may say where a server is, without a login. */
    const isAddress = (name: string, value = '@') =>
      from.startsWith('chart') && name.endsWith('_URL') && !value.includes('@');
    const deployments = ofKind(manifests, 'Deployment');
    const workloads = [...deployments, ...ofKind(manifests, 'StatefulSet')];

    test('has the five services', () => {
      expect(deployments.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(SETTINGS).sort());
    });

    test.each(deployments)(
      '$metadata.name: every variable is a setting, and none is given twice',
      ({ metadata, spec }) => {
        const names = (spec.template.spec.containers[0].env ?? []).map(({ name }) => name);
        const known = Object.keys(settingsOf(metadata.name));
        expect(names.filter((name) => !known.includes(name) && !BESIDE.test(name))).toEqual([]);
        expect(names).toEqual([...new Set(names)]);
      },
    );

    test.each(deployments)(
      '$metadata.name: no secret is written down, and it runs as the image means it',
      ({ spec }) => {
        const { containers, terminationGracePeriodSeconds = 0 } = spec.template.spec;
        const [{ env = [], securityContext, livenessProbe, startupProbe, resources }] = containers;
        for (const { name, value } of env)
          if (/PASSWORD|TOKEN|PEPPER|URL$/.test(name) && !isAddress(name, value))
            expect(value, name).toBeUndefined();
        expect(securityContext?.readOnlyRootFilesystem).toBe(true);
        expect([livenessProbe, startupProbe, resources]).not.toContain(undefined);
        // A process ends by itself after as long as these two, and tells why; two seconds are its own.
        const msOf = (setting: string) => Number(env.find(({ name }) => name === setting)?.value ?? 0);
        const drainMs = msOf('SHUTDOWN_DELAY_MS') + msOf('DRAIN_TIMEOUT_MS');
        expect(drainMs).toBeGreaterThan(0);
        expect(terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(drainMs + 2000);
      },
    );

    test('an edge that is told to end serves on until nobody is sent to it any more', () => {
      const edge = deployments.find(({ metadata }) => metadata.name === 'edge-proxy');
      const [{ env = [], readinessProbe }] = edge?.spec.template.spec.containers ?? [{}];
      const delayMs = Number(env.find(({ name }) => name === 'SHUTDOWN_DELAY_MS')?.value);
      const { periodSeconds = 10, failureThreshold = 3 } = readinessProbe ?? {};
      expect(delayMs).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
    });

    test.each(deployments)('$metadata.name: its instances are spread, counted by release', ({ spec }) => {
      const { metadata: pod, spec: podSpec } = spec.template;
      const [one, ...others] = podSpec.topologySpreadConstraints ?? [];
      expect(others).toEqual([]);
      expect(one).toMatchObject({ maxSkew: 1, matchLabelKeys: ['pod-template-hash'] });
      expect(one?.topologyKey).toMatch(/^(kubernetes\.io\/hostname|topology\.kubernetes\.io\/zone)$/);
      expect(pod.labels).toMatchObject(one?.labelSelector.matchLabels ?? { none: 'at all' });
    });

    test.each(workloads)(
      '$kind $metadata.name: selectors, ports, probes and volumes meet',
      ({ metadata, spec }) => {
        const { metadata: pod, spec: podSpec } = spec.template;
        expect(pod.labels).toMatchObject(spec.selector.matchLabels);
        const [{ ports, volumeMounts, ...container }] = podSpec.containers;
        const names = ports.map(({ name }) => name);
        for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
          if (probe?.httpGet !== undefined) expect(names).toContain(probe.httpGet.port);
        const volumes = podSpec.volumes.map(({ name }) => name);
        if ('volumeClaimTemplates' in spec)
          volumes.push(...spec.volumeClaimTemplates.map((one) => one.metadata.name));
        for (const { name } of volumeMounts) expect(volumes).toContain(name);
        const service = ofKind(manifests, 'Service').find((one) => one.metadata.name === metadata.name);
        expect(pod.labels).toMatchObject(service?.spec.selector ?? { none: 'at all' });
        for (const { targetPort } of service?.spec.ports ?? []) expect(names).toContain(targetPort);
      },
    );

    test('every configuration map that is used is there', () => {
      const there = ofKind(manifests, 'ConfigMap').map(({ metadata }) => metadata.name);
      const used = workloads.flatMap(({ spec }) => [
        ...spec.template.spec.volumes.map(({ configMap }) => configMap?.name),
        ...(spec.template.spec.containers[0].env ?? []).map(
          ({ valueFrom }) => valueFrom?.configMapKeyRef?.name,
        ),
      ]);
      for (const name of used) if (name !== undefined) expect([...there, ...THERE]).toContain(name);
    });

    test.runIf(from !== 'chart whole')('the configuration is valid', () => {
      const text =
        ofKind(manifests, 'ConfigMap').find(({ data }) => 'kong.yml' in data)?.data['kong.yml'] ?? '';
      expect(loadConfig({ text }, pluginCatalog, { now: 0 })).toMatchObject({ ok: true });
    });

    test('nothing may be reached that no policy allows, and only who counts reaches Redis', () => {
      const policies = ofKind(manifests, 'NetworkPolicy');
      const named = (name: string) => policies.find(({ metadata }) => metadata.name === name)?.spec;
      expect(named('nothing-by-default')).toEqual({
        podSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'sluice' } },
        policyTypes: ['Ingress', 'Egress'],
      });
      const withRedis = Object.keys(SETTINGS).filter((name) => 'REDIS_URL' in settingsOf(name));
      expect(named('counters')?.podSelector.matchExpressions?.[0]?.values.toSorted()).toEqual(
        withRedis.sort(),
      );
      // By the name of the port, so that each can be reached at its own alone.
      expect(named('metrics')?.ingress?.[0]?.ports).toEqual([{ protocol: 'TCP', port: 'status' }]);
      for (const { spec } of deployments)
        expect(spec.template.spec.containers[0].ports.map(({ name }) => name)).toContain('status');
    });

    test('who has more than one instance is emptied one at a time', () => {
      const guarded = ofKind(manifests, 'PodDisruptionBudget').map(({ spec }) => spec.selector.matchLabels);
      for (const { metadata, spec } of deployments)
        if (spec.replicas !== 1) expect(guarded).toContainEqual({ 'app.kubernetes.io/name': metadata.name });
    });

    test('whoever is monitored has the port that is asked', () => {
      for (const { spec } of ofKind(manifests, 'ServiceMonitor')) {
        const { matchLabels } = spec.selector;
        const found = ofKind(manifests, 'Service').filter(({ metadata }) =>
          Object.entries(matchLabels).every(([label, value]) => metadata.labels?.[label] === value),
        );
        expect(found.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(SETTINGS).sort());
        for (const { port } of spec.endpoints)
          for (const one of found) expect(one.spec.ports.map(({ name }) => name)).toContain(port);
      }
    });

    test('what is scaled is there, by a metric that edges have', () => {
      const gate = readFileSync(
        join(ROOT, 'services', 'edge-proxy', 'src', 'overload', 'open-gate.ts'),
        'utf8',
      );
      for (const { spec } of ofKind(manifests, 'HorizontalPodAutoscaler')) {
        const target = deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
        expect(target?.spec.replicas).toBeUndefined();
        for (const { pods } of spec.metrics) if (pods !== undefined) expect(gate).toContain(pods.metric.name);
      }
    });
  },
);

test('the bus of the overlay dev is that of deploy/nats', () => {
  for (const file of ['nats.conf', 'users.conf'])
    expect(readFileSync(join(ROOT, 'deploy', 'kubernetes', 'overlays', 'dev', file), 'utf8')).toBe(
      readFileSync(join(ROOT, 'deploy', 'nats', file), 'utf8'),
    );
});
