import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { allowancesOf } from './allowances.ts';
import { ofChart, ofOverlay, withoutRelease } from './as-kustomize.ts';
import type { Value } from './go-template/functions.ts';
import { GOLDEN, hasHelm, helmTemplate, PROFILES } from './helm.ts';
import { CHART, mistakesIn, notes, renderChart, STUBS, valuesOf } from './helm-chart.ts';
import { asManifests, hasKustomize, type Manifest, ofKind, render } from './rendered.ts';
import { valuesOfProfile } from './sources.ts';

const named = (manifests: readonly Manifest[]) =>
  Object.fromEntries(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one]));

describe.each(PROFILES)('the chart with the values %s', (name) => {
  const golden = join(GOLDEN, `${name}.yaml`);

  test('gives what Helm gave (`npm run helm:golden` writes it anew)', () => {
    expect(named(renderChart(valuesOfProfile(name), STUBS))).toEqual(
      named(asManifests(golden, readFileSync(golden, 'utf8'))),
    );
  });

  test.runIf(hasHelm())('gives what Helm gives', () => {
    expect(helmTemplate(name)).toBe(readFileSync(golden, 'utf8'));
  });

  test('has values that its schema takes', () => {
    expect(mistakesIn(valuesOfProfile(name))).toEqual([]);
  });
});

describe.runIf(hasKustomize()).each(['dev', 'prod'] as const)('chart and overlay %s', (name) => {
  const [chart, overlay] = [renderChart(valuesOfProfile(name)), render(name)];

  test('have the same objects', () => {
    expect(ofChart(chart)).toEqual(ofOverlay(overlay));
  });

  test('allow the same connections', () => {
    const ofBoth = [withoutRelease(chart), overlay].map((one) => allowancesOf(ofKind(one, 'NetworkPolicy')));
    expect(ofBoth[0]).toEqual(ofBoth[1]);
  });
});

describe('values that are refused, by their name', () => {
  test.each<[string, Value, string]>([
    [
      'a name that there is not',
      { edge: { replica: 3 } },
      'edge must NOT have additional properties replica',
    ],
    [
      'a setting that edges do not have',
      { edge: { settings: { TRUSTED_IP: '10.0.0.0/8' } } },
      'edge.settings must NOT have additional properties TRUSTED_IP',
    ],
    [
      'a setting of another service',
      { auth: { settings: { TRUSTED_IPS: '10.0.0.0/8' } } },
      'auth.settings must NOT have additional properties TRUSTED_IPS',
    ],
    [
      'a setting that the chart gives itself',
      { edge: { settings: { NATS_PASSWORD: 'x' } } },
      'edge.settings must NOT have additional properties NATS_PASSWORD',
    ],
    [
      'a number where Helm would print 1e+06',
      { edge: { settings: { MAX_HEADER_BYTES: 65_536 } } },
      'edge.settings.MAX_HEADER_BYTES must be string string',
    ],
    ['a login in a URL', { nats: { url: 'nats://me:secret@nats:4222' } }, 'nats.url must match pattern'],
    ['a login in a URL', { redis: { url: 'redis://:secret@redis:6379' } }, 'redis.url must match pattern'],
    ['none at all', { edge: { replicas: null } }, "edge must have required property 'replicas'"],
    [
      'too little',
      { edge: { autoscaling: { minReplicas: 0 } } },
      'edge.autoscaling.minReplicas must be >= 1',
    ],
    ['a word', { config: { when: 'never' } }, 'config.when must be equal to one of the allowed values'],
    ['nobody', { edge: { upstreams: [] } }, 'edge.upstreams must NOT have fewer than 1 items'],
    ['an empty peer, which is no peer', { nats: { peers: [{}] } }, 'nats.peers.0 must NOT have fewer than 1'],
    [
      'no amount',
      { auth: { resources: { limits: { memory: 'much' } } } },
      'auth.resources.limits.memory must',
    ],
    [
      'a tag for what is no service',
      { image: { tags: { edge: '1.3.0' } } },
      'image.tags must be equal to one of the allowed values',
    ],
    ['no issuer', { issuers: { Logto: 'https://login.example' } }, 'issuers must match pattern'],
  ])('%s', (_, values, mistake) => {
    const mistakes = mistakesIn(valuesOf(values));

    expect(mistakes).toContainEqual(expect.stringContaining(mistake));
    expect(mistakes.join()).not.toContain('secret');
  });

  test.each<[string, Value, string]>([
    ['three copies on the one server', { nats: { own: true, replicas: 3 } }, 'set nats.replicas to 1'],
    ['an ingress without names', { edge: { ingress: { enabled: true } } }, 'edge.ingress.hosts names none'],
  ])('%s', (_, values, mistake) => {
    expect(mistakesIn(valuesOf(values))).toEqual([]);
    expect(() => renderChart(valuesOf(values))).toThrow(mistake);
  });
});

test('the tags that a release writes are those of the overlays, for each service', () => {
  const values = parse(readFileSync(join(CHART, 'values-released.yaml'), 'utf8')) as Value;
  const { images } = parse(
    readFileSync(join(CHART, '../../kubernetes/released/kustomization.yaml'), 'utf8'),
  ) as { images: readonly { name: string; newTag: string }[] };

  const rendered = ofKind(renderChart(valuesOf(values), STUBS), 'Deployment').map(
    (one) => one.spec.template.spec,
  );
  expect(rendered.map(({ containers }) => containers[0].image).sort()).toEqual(
    images.map(({ name, newTag }) => `${name}:${newTag}`).sort(),
  );
});

test('what is said after an installation names the Secrets and the way to the Admin API', () => {
  const said = notes(valuesOf({ secrets: { admin: 'who-may' } }));

  expect(said).toContain('The Secrets sluice-bus, sluice-redis and who-may have to be there');
  expect(said).toContain('port-forward service/blue-config-registry 8001');
  expect(notes(valuesOf({ leaf: { enabled: true } }))).not.toContain('config-registry');
});

test('the servers of the chart are configured as those of deploy/nats', () => {
  for (const file of ['nats.conf', 'users.conf', 'leaf.conf', 'leaf-users.conf'])
    expect(readFileSync(join(CHART, 'files', file), 'utf8')).toBe(
      readFileSync(join(CHART, '..', '..', 'nats', file), 'utf8'),
    );
});
