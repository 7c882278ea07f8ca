import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parseConfigText } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const DECK = {
  DECK_ORDERS_HOST: 'orders.internal',
  DECK_ORDERS_PORT: '8080',
  DECK_ALICE_KEY: 'alices-api-key',
};

interface Report {
  readonly lines: readonly Readonly<
    Record<'status' | 'collection' | 'entity', string> & Record<string, string>
  >[];
  readonly totals: Readonly<Record<'mapped' | 'changed' | 'unsupported', number>>;
}

/** A folder to work in and the command line in it, as main.ts runs it. */
class Workshop implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sluice-import-'));

  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const said = { out: '', err: '' };
    const collect = (stream: keyof typeof said) =>
      new Writable({
        write(chunk, _encoding, done) {
          said[stream] += String(chunk);
          done();
        },
      });
    const io = {
      readInput: async () => '',
      env,
      cwd: this.root,
      root: this.root,
      out: collect('out'),
      err: collect('err'),
    };
    return { code: await runCli(args, io), ...said };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

/** Imports a file of the folder `import/` into `result.yml`, as JSON. */
const imported = async (workshop: Workshop, name: string, env: NodeJS.ProcessEnv = {}) => {
  copyFileSync(join(import.meta.dirname, 'import', name), join(workshop.root, name));
  const ran = await workshop.run(['import', 'kong', name, '--out', 'result.yml', '--json'], env);
  const report = JSON.parse(ran.out) as Report;
  const text = readFileSync(join(workshop.root, 'result.yml'), 'utf8');
  const parsed = parseConfigText(text);
  if (!parsed.ok) throw new Error(parsed.message);
  const checked = await workshop.run(['check', 'result.yml']);
  const said = report.lines.map(({ status, collection, entity, field }) =>
    [status, collection, entity, field].filter(Boolean).join(' '),
  );
  const lineOf = (start: string) => report.lines[said.findIndex((line) => line.startsWith(start))];
  return { ...ran, report, text, document: parsed.value as Record<string, never>, checked, said, lineOf };
};

test('given a file that is all here, then every entity and plugin field is mapped and the exit code is 0', async () => {
  using workshop = new Workshop();

  const { code, said, report, checked } = await imported(workshop, 'plain.yml');

  expect(said).toEqual([
    "mapped services 'a'",
    "mapped routes 'a'",
    "mapped plugins 'rate-limiting' of service 'a'",
    "mapped plugins 'rate-limiting' of service 'a' config.minute",
    "mapped plugins 'rate-limiting' of service 'a' config.limit_by",
  ]);
  expect(report.totals).toEqual({ mapped: 5, changed: 0, unsupported: 0 });
  expect([code, checked.code]).toEqual([0, 0]);
});

test('given an export of a database, then it is taken with its ids and hashes, and what changed is said', async () => {
  using workshop = new Workshop();

  const { code, report, said, document, checked } = await imported(workshop, 'db-export.yaml');

  expect({ code, check: checked.code, unsupported: report.totals.unsupported }).toEqual({
    code: 0,
    check: 0,
    unsupported: 0,
  });
  expect(said).toContain('changed document parameters');
  expect(said).toContain("changed plugins 'rate-limiting' config.redis_host");
  expect(said).toContain("mapped plugins 'rate-limiting' config.error_message");
  expect(said).toContain(
    "mapped basicauth_credentials 'carol' of consumer '5d2f1f60-0000-4000-8000-000000000003'",
  );
  expect(document).toMatchObject({
    _transform: false,
    basicauth_credentials: [{ password: '2c1743a391305fbf367df8e4f069f9f9b12c7d24' }],
    plugins: [{ name: 'basic-auth' }, { config: { redis: { host: 'redis.internal', port: 6379 } } }],
  });
});

test('given a file of an old Kong as JSON, then old names become today’s and a foreign vault is named', async () => {
  using workshop = new Workshop();

  const { code, lineOf, document, checked } = await imported(workshop, 'old-file.json');

  expect([code, checked.code]).toEqual([1, 0]);
  expect(lineOf('changed document _format_version')?.reason).toBe('written as text, "1.1"');
  expect(lineOf("changed plugins 'ip-restriction' of route 'search' config.whitelist")?.reason).toBe(
    'written as config.allow',
  );
  expect(lineOf("changed plugins 'jwt' of route 'search' run_on")).toBeDefined();
  expect(lineOf("unsupported vaults 'aws'")?.remedy).toContain('env');
  expect(lineOf("unsupported plugins 'http-log'")).toBeDefined();
  expect(document).toMatchObject({
    services: [{ routes: [{ plugins: [{ config: { allow: ['10.0.0.0/8'] } }, { name: 'jwt' }] }] }],
    vaults: [{ name: 'env' }],
  });
});

test('given a dump of decK, then its defaults, tags, shared configurations and references are written out', async () => {
  using workshop = new Workshop();

  const { document, lineOf, checked } = await imported(workshop, 'deck-dump.yaml', {
    ...DECK,
    DECK_RETRIES: '2',
  });

  expect(checked.code, checked.err).toBe(0);
  expect(document).toMatchObject({
    services: [
      {
        name: 'orders',
        host: 'orders.internal',
        port: 8080,
        retries: 2,
        connect_timeout: 3000,
        tags: ['shop'],
        routes: [{ name: 'orders-read', strip_path: false }, { name: 'orders-admin' }],
        plugins: [{ name: 'rate-limiting', config: { minute: 100, hour: 1000, policy: 'local' } }],
      },
    ],
    routes: [{ name: 'health', service: 'orders' }],
    consumers: [{ keyauth_credentials: [{ key: 'alices-api-key' }] }, { username: 'bob' }],
  });
  expect(Object.keys(document)).toEqual(['_format_version', 'services', 'routes', 'consumers', 'plugins']);
  expect(lineOf("changed services 'orders' host")?.reason).toContain('DECK_ORDERS_HOST');
  expect(lineOf("changed routes 'orders-read' path_handling")).toBeDefined();
  expect(lineOf("changed routes 'health' service")).toBeDefined();
});

test('given what is not here, then each part is named with a reason and a remedy, and the exit code is 1', async () => {
  using workshop = new Workshop();

  const { code, lineOf } = await imported(workshop, 'deck-dump.yaml', { ...DECK, DECK_RETRIES: '2' });

  expect(code).toBe(1);
  const plugin = lineOf("unsupported plugins 'openid-connect' of route 'orders-admin'");
  expect(plugin?.reason).toBe('a plugin of Kong Enterprise');
  expect(plugin?.remedy).toContain('docs/guides/authenticate-with-oidc.md');
  expect(lineOf("unsupported plugins 'tenant-router'")?.remedy).toContain('docs/guides/write-a-plugin.md');
  expect(lineOf("unsupported services 'ledger'")?.reason).toContain('streams');
  expect(lineOf("unsupported routes 'ledger-stream'")?.reason).toContain("'ledger' is left out");
  expect(lineOf("unsupported consumer_groups 'gold'")?.remedy).toContain('limit-tenants');
  expect(lineOf("unsupported consumers 'alice' groups")).toBeDefined();
  expect(lineOf("unsupported consumers 'bob' mtls_auth_credentials")).toBeDefined();
  expect(lineOf("unsupported plugins 'key-auth' of route 'orders-read' config.realm_of_mine")?.reason).toBe(
    'unknown field, left out of the result',
  );
});

test('given a guard that is not here, then its route is closed in the result, and the others are not', async () => {
  using workshop = new Workshop();

  const { document, lineOf } = await imported(workshop, 'deck-dump.yaml', { ...DECK, DECK_RETRIES: '2' });

  const [{ routes }] = document.services as unknown as [{ routes: { plugins?: { name: string }[] }[] }];
  expect(routes[1]?.plugins).toMatchObject([{ name: 'request-termination', config: { status_code: 503 } }]);
  expect(routes[0]?.plugins).toBeUndefined();
  expect(lineOf("unsupported plugins 'openid-connect'")?.remedy).toContain('503');
  expect((document.plugins as unknown as { name: string }[]).map(({ name }) => name)).toEqual([
    'key-auth',
    'acl',
    'prometheus',
  ]);
});

test('given a variable that is not set, then it is named and nothing is made up', async () => {
  using workshop = new Workshop();

  const { code, lineOf } = await imported(workshop, 'deck-dump.yaml', DECK);

  expect(code).toBe(1);
  expect(lineOf("unsupported services 'orders'")?.reason).toBe('retries: DECK_RETRIES is not set');
  const { out } = await workshop.run(['import', 'kong', 'deck-dump.yaml'], DECK);
  expect(out).toMatch(/^\d+ mapped, \d+ changed, \d+ unsupported$/m);
});

test('secrets of the file and of the environment are in no line; the result is for its owner alone', async () => {
  using workshop = new Workshop();

  const { out, err, text } = await imported(workshop, 'deck-dump.yaml', {
    ...DECK,
    DECK_RETRIES: 'hunter3',
  });
  const plain = await workshop.run(['import', 'kong', 'deck-dump.yaml'], {
    ...DECK,
    DECK_RETRIES: 'hunter3',
  });
  const exported = await imported(workshop, 'db-export.yaml');

  const said = [out, err, plain.out, plain.err, exported.out, exported.err].join('\n');
  for (const secret of [
    'hunter2',
    'hunter3',
    'alices-api-key',
    'bobs-very-secret',
    'a-redis-password',
    '2c1743a3',
  ])
    expect(said).not.toContain(secret);
  expect(text).toContain('bobs-very-secret-secret');
  expect(statSync(join(workshop.root, 'result.yml')).mode & 0o077).toBe(0);
});

test.each([
  ['missing.yml', 'cannot be read'],
  ['broken.yml', 'broken.yml:'],
])('given %s, then it is said and the exit code is 1', async (name, message) => {
  using workshop = new Workshop();
  writeFileSync(join(workshop.root, 'broken.yml'), 'services: [\n');

  const { code, err, out } = await workshop.run(['import', 'kong', name]);

  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(message);
});
