import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flattened, flattenedText, loadConfig, toDeclarativeYaml } from '../src/index.ts';
import { catalog } from './catalog.ts';
import { accepted, NOW } from './load.ts';

test.each(['dcoder', 'nested', 'flat'])(
  'given the state of %s, when written and loaded, then it is the same',
  (name) => {
    const text = readFileSync(join(import.meta.dirname, 'golden', `${name}.yaml`), 'utf8');
    const first = loadConfig({ text }, catalog, { now: NOW });
    if (!first.ok) throw first.error;
    const second = loadConfig({ text: toDeclarativeYaml(first.state) }, catalog, { now: NOW + 1000 });
    if (!second.ok) throw second.error;
    expect(second.state.digest).toBe(first.state.digest);
  },
);

test('the text is flat, complete, and refers by id', () => {
  const text = toDeclarativeYaml(
    accepted({ services: [{ name: 's', host: 'a', routes: [{ name: 'r', paths: ['/'] }] }] }),
  );
  expect(text).toMatch(/^_format_version: '3.0'\n_transform: false\nservices:\n- id: /);
  expect(text).toContain('\n  service: ');
  expect(text).toContain('\n  hosts: null\n');
});

test('the answer of POST /config is keyed by id, with every field and without times that Kong does not have', () => {
  const body = flattened(accepted({ consumers: [{ username: 'u', acls: [{ group: 'g' }] }] }));
  expect(Object.keys(body)).toEqual(['consumers', 'acls']);
  const [acl] = Object.values(body.acls ?? {});
  expect(acl).toEqual({
    id: expect.any(String),
    consumer: { id: Object.keys(body.consumers ?? {})[0] },
    group: 'g',
    tags: null,
    created_at: NOW,
  });
});

test('the text of that answer says the same', () => {
  const state = accepted({
    services: [{ name: 's', host: 'a', routes: [{ name: 'r', paths: ['/"é"'] }] }],
    consumers: [{ username: 'u', keyauth_credentials: [{ key: 'k' }] }],
    tenants: [{ name: 't', tier: 'gold' }],
  });
  expect(JSON.parse(flattenedText(state))).toEqual(flattened(state));
});
