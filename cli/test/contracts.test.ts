import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StubRepository } from './support/gateway.ts';

const RELEASED = join(import.meta.dirname, '..', '..', 'libs', 'contracts', 'released', 'asyncapi.json');

test('given the last release, when compared, then every process may be replaced by itself', async () => {
  await using repository = new StubRepository();
  cpSync(RELEASED, join(repository.root, 'released.json'));

  const { code, out } = await repository.run(['contracts', 'check', '--against', 'released.json']);

  expect(code).toBe(0);
  expect(out).toMatch(/✔ \d+ contracts: every process may be replaced by itself/);
});

test('given a release whose edge sends less, then exit code 2, the field and both processes', async () => {
  await using repository = new StubRepository();
  const document = JSON.parse(readFileSync(RELEASED, 'utf8'));
  const checks = document.components.messages['auth.v1.verify.request'].payload.properties.checks.items;
  delete checks.properties.token;
  checks.required = checks.required.filter((name: string) => name !== 'token');
  writeFileSync(join(repository.root, 'released.json'), JSON.stringify(document));

  const { code, err } = await repository.run(['contracts', 'check', '--against', 'released.json']);
  const told = await repository.run(['contracts', 'check', '--against', 'released.json', '--json']);

  expect(code).toBe(2);
  expect(err).toContain(
    '✖ auth.v1.verify (request): checks[].token is new and required: auth of now would refuse what a released edge-proxy sends',
  );
  expect(told.code).toBe(2);
  expect(JSON.parse(told.out).breaks).toMatchObject([{ subject: 'auth.v1.verify', field: 'checks[].token' }]);
});

test('given no such document, then exit code 3 and the file', async () => {
  await using repository = new StubRepository();

  const { code, err } = await repository.run(['contracts', 'check', '--against', 'nowhere.json']);

  expect(code).toBe(3);
  expect(err).toContain('nowhere.json cannot be read');
});
