import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startNats } from '@sluice/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { edgesSeen, runEdge, runRegistry, yamlOf } from './registry-world.ts';

type World = Awaited<ReturnType<typeof runRegistry>>;
let nats: Awaited<ReturnType<typeof startNats>>;
let world: World;
beforeAll(async () => {
  nats = await startNats();
  world = await runRegistry(nats.url);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const json = (value: unknown, path = '/config') =>
  world.call(path, {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });
const hash = async () =>
  ((await (await world.call('/status')).json()) as { configuration_hash: string }).configuration_hash;
const form = (text: string): FormData => {
  const data = new FormData();
  data.set('config', new Blob([text]), 'kong.yml');
  return data;
};

test('given no configuration, then the hash is 32 zeros and the first document is r1', async () => {
  expect(await hash()).toBe('0'.repeat(32));

  const answer = await world.postYaml(yamlOf(2));

  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-sluice-generation')).toBe('r1');
  expect(await hash()).toMatch(/^[0-9a-f]{32}$/);
  expect(await hash()).not.toBe('0'.repeat(32));
});

describe('every form of POST /config', () => {
  beforeEach(async () => {
    await world.postYaml('_format_version: "3.0"\n');
  });

  const forms: Record<string, () => Promise<Response>> = {
    'a JSON body that is the configuration': () =>
      json({ _format_version: '3.0', services: [{ name: 'service-0', host: 'a.test' }] }),
    'a JSON body with the text in config': () => json({ config: yamlOf(1) }),
    'a multipart file': () => world.call('/config', { method: 'POST', body: form(yamlOf(1)) }),
    'a form field': () =>
      world.call('/config', { method: 'POST', body: new URLSearchParams({ config: yamlOf(1) }) }),
    'raw YAML': () => world.postYaml(yamlOf(1)),
    'raw application/yaml': () =>
      world.postYaml(yamlOf(1), '/config', { 'content-type': 'application/yaml' }),
  };
  for (const [name, post] of Object.entries(forms))
    test(`${name} is applied and answered with the flattened result`, async () => {
      const answer = await post();

      expect(answer.status).toBe(201);
      const { services } = (await answer.json()) as {
        services: Record<string, { id: string; name: string }>;
      };
      expect(Object.entries(services)).toEqual([
        [expect.any(String), expect.objectContaining({ name: 'service-0' })],
      ]);
      for (const [id, service] of Object.entries(services)) expect(service.id).toBe(id);
    });

  test.each([
    ['nothing', {}],
    ['an empty object', { body: '{}', headers: { 'content-type': 'application/json' } }],
    ['a form without config', { body: new URLSearchParams({ other: 'x' }) }],
  ])('%s is no configuration', async (_name, init) => {
    const answer = await world.call('/config', { method: 'POST', ...init } as RequestInit);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { message: 'expected a declarative configuration' },
    ]);
  });

  test('another content type is refused without a body', async () => {
    const answer = await world.postYaml('x', '/config', { 'content-type': 'text/plain' });
    expect([answer.status, await answer.text()]).toEqual([415, '']);
  });

  test('JSON that does not parse is told so', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await world.call('/config', { method: 'POST', body: '{"a":', headers });
    expect([answer.status, await answer.json()]).toEqual([400, { message: 'Cannot parse JSON body' }]);
  });

  test('an unknown argument of a JSON document is an unknown field', async () => {
    const answer = await json({ _format_version: '3.0' }, '/config?colour=red');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 14, fields: { colour: 'unknown field' } });
  });
});

test('given the same text twice, when check_hash=1, then the second is 304; without it no version is made', async () => {
  const text = yamlOf(3, 'hash.test');
  const first = await world.postYaml(text, '/config?check_hash=1');
  const second = await world.postYaml(text, '/config?check_hash=1');
  const third = await world.postYaml(text);

  expect([first.status, second.status, third.status]).toEqual([201, 304, 201]);
  expect(await second.text()).toBe('');
  expect(third.headers.get('x-sluice-generation')).toBe(first.headers.get('x-sluice-generation'));
});

test('given an invalid document, then it is told why and nothing changes', async () => {
  await world.postYaml(yamlOf(2));
  const before = await hash();
  const plugins = ['cors', 'cors', 'cors'].map(
    (name, index) => `- name: ${index === 2 ? 'nope' : name}\n  service: service-${index}\n`,
  );
  const text = `${yamlOf(3)}plugins:\n- name: prometheus\n${plugins.join('')}`;

  const answer = await world.postYaml(text, '/config?flatten_errors=1');

  expect(answer.status).toBe(400);
  const message = "plugin 'nope' not enabled; add it to the 'plugins' configuration property";
  expect(await answer.json()).toMatchObject({
    code: 14,
    name: 'invalid declarative configuration',
    fields: {},
    flattened_errors: [{ entity_type: 'plugin', errors: [{ type: 'field', field: 'name', message }] }],
  });
  const plain = (await (await world.postYaml(text)).json()) as {
    fields: { plugins: unknown[] };
    message: string;
  };
  expect(plain.fields.plugins).toEqual([null, null, null, { name: message }]);
  expect(plain.message).toMatch(/^declarative config is invalid: /);
  expect(await hash()).toBe(before);
});

test('what GET /config shows can be posted and changes nothing', async () => {
  await world.postYaml(yamlOf(2));
  const { config } = (await (await world.call('/config')).json()) as { config: string };
  const before = await hash();

  const answer = await json({ config });

  expect(answer.status).toBe(201);
  expect(await hash()).toBe(before);
});

const platformFile = join(import.meta.dirname, '../../../config/kong.yml');
test.runIf(existsSync(platformFile))(
  'the platform’s own file is applied: 4 services, 15 routes',
  async () => {
    const body = form(readFileSync(platformFile, 'utf8'));
    const answer = await world.call('/config', { method: 'POST', body });

    expect(answer.status).toBe(201);
    const { services, routes } = (await answer.json()) as Record<'services' | 'routes', object>;
    expect([Object.keys(services).length, Object.keys(routes).length]).toEqual([4, 15]);
    expect(services).toHaveProperty('b3e43a63-98fb-550e-843a-6088b2e0e543');
  },
);

test('given live edges, when a document is posted, then the answer comes when all have it and counts a refusal', async () => {
  await using server = await startNats();
  await using registry = await runRegistry(server.url);
  await using good = await runEdge(server.url, 'edge-good');
  await using bad = await runEdge(server.url, 'edge-bad', {
    onChange: () => {
      if (bad.follower.position.version === 2) throw new Error('cannot compile');
    },
  });
  await edgesSeen(registry, 2);

  const first = await registry.postYaml(yamlOf(1));
  expect(first.headers.get('x-sluice-acknowledged')).toBe('2/2');
  expect(good.follower.position.version).toBe(1);
  const second = await registry.postYaml(yamlOf(2));
  expect(second.headers.get('x-sluice-acknowledged')).toBe('1/2');
  expect(second.headers.get('x-sluice-refused')).toContain('edge-bad: cannot compile');
});

test('given two registries, when both are written at once, then every document is a version and both end equal', async () => {
  await using server = await startNats();
  await using one = await runRegistry(server.url, { instance: 'registry-1' });
  await using two = await runRegistry(server.url, { instance: 'registry-2' });
  await using edge = await runEdge(server.url, 'edge');

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).postYaml(yamlOf(3, `host-${index}.test`), '/config', {
        'x-sluice-author': `author-${index}`,
      }),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  const versions = answers.map(({ headers }) => headers.get('x-sluice-generation'));
  expect(new Set(versions).size).toBe(20);
  await eventually(() => edge.follower.position.version === 20);
  await eventually(async () => {
    const [a, b] = await Promise.all([one, two].map(async (r) => (await r.call('/status')).text()));
    const hashOf = (text: string | undefined) => /"configuration_hash":"(\w+)"/.exec(text ?? '')?.[1];
    return hashOf(a) === hashOf(b) && hashOf(a) === edge.follower.position.digest.slice(0, 32);
  });
});

test('given NATS is gone, when a document is posted, then it is 503 and the old configuration is still shown', async () => {
  await using server = await startNats();
  await using registry = await runRegistry(server.url);
  await registry.postYaml(yamlOf(1));
  await server.kill();
  await eventually(() => !registry.bus.isConnected);

  const answer = await registry.postYaml(yamlOf(2));

  expect(answer.status).toBe(503);
  expect(((await answer.json()) as { message: string }).message).toContain('cannot be written');
  expect(((await (await registry.call('/services')).json()) as { data: unknown[] }).data).toHaveLength(1);
  await server.start();
  await eventually(async () => (await registry.postYaml(yamlOf(2))).status === 201);
});

test('given an author who names the generation they saw, when another is in force, then it is 409 with the newer one', async () => {
  await world.postYaml(yamlOf(1, 'seen.test'));
  const now = (await (await world.call('/status')).json()) as { generation: string };
  const expecting = (generation: string) =>
    world.postYaml(yamlOf(2, 'seen.test'), '/config', { 'x-sluice-expected-generation': generation });

  const stale = await expecting('r0');
  expect([stale.status, stale.headers.get('x-sluice-generation')]).toEqual([409, now.generation]);
  expect((await expecting(now.generation)).status).toBe(201);
});
