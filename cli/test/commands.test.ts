import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { StubRepository } from './support/gateway.ts';

test.each([
  [['up', '--proxy-port', '99999'], 'whole number from 0 to 65535'],
  [['up', '--edges', '0'], 'whole number from 1 to 64'],
  [['up', '--nats', 'localhost'], 'nats:// or tls://'],
  [['up', '--restart', 'sometimes'], 'always, never'],
  [['apply', '--expect', 'newest'], 'such as r12'],
  [['up', '--colour'], "unknown option '--colour'"],
  [['token', '--user', 'u'], '--tenant <id>'],
  [['chekc'], 'check'],
])('given %j, then the mistake is named and the exit code is 1', async (args, message) => {
  await using repository = new StubRepository();

  const { code, err, out } = await repository.run(args);

  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(message);
});

test('when help is asked for, then it lists the verbs and exits with 0', async () => {
  await using repository = new StubRepository();

  const { code, out } = await repository.run(['--help']);

  expect(code).toBe(0);
  for (const verb of ['up', 'build', 'check', 'apply', 'import', 'token', 'health'])
    expect(out).toContain(verb);
});

test('given no gateway, then health exits with 1 and apply with 3', async () => {
  await using repository = new StubRepository();
  const admin = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(join(repository.root, 'kong.yml'), '_format_version: "3.0"\n');

  const health = await repository.run(['health', '--json', '--admin', admin]);
  const applied = await repository.run(['apply', 'kong.yml', '--admin', admin]);

  expect(health.code).toBe(1);
  expect(JSON.parse(health.out)).toMatchObject({ healthy: false, admin });
  expect(applied.code).toBe(3);
  expect(applied.err).toContain('npm start');
});

test('given a running gateway, then health and apply find it', async () => {
  await using repository = new StubRepository();
  writeFileSync(join(repository.root, 'kong.yml'), '_format_version: "3.0"\n');
  const { lines } = repository.up();
  const { admin } = await lines.next('ready');

  const health = await repository.run(['health']);
  const applied = await repository.run(['apply', '--json', '-m', 'déjà vu', 'kong.yml']);

  expect(health).toMatchObject({ code: 0, err: '' });
  expect(applied.code).toBe(0);
  expect(JSON.parse(applied.out)).toEqual({ applied: true, admin, generation: 'r1', acknowledged: '1/1' });
});

test('given a file that is not there, then check names it and exits with 1', async () => {
  await using repository = new StubRepository();

  const { code, err } = await repository.run(['check', 'nowhere.yml']);

  expect(code).toBe(1);
  expect(err).toContain('nowhere.yml');
});
