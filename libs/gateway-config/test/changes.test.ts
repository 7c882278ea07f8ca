import { expect, test } from 'vitest';
import { ConfigState, describeChanges } from '../src/index.ts';
import { accepted } from './load.ts';

const service = (more: object = {}) => ({ name: 's', host: 'a.test', ...more });

test('a change is told by entity and field, with both sides and the names of what it belongs to', () => {
  const limit = (minute: number) => ({ name: 'rate-limiting', config: { minute, policy: 'local' } });
  const from = accepted({
    services: [service({ plugins: [limit(5)], routes: [{ name: 'old', paths: ['/old'] }] })],
  });
  const to = accepted({
    services: [service({ plugins: [limit(7)], routes: [{ name: 'new', paths: ['/new'] }] })],
  });

  const { counts, changes, changesLeftOut } = describeChanges(from, to, 10);

  expect({ counts, changesLeftOut }).toEqual({
    counts: { added: 1, changed: 1, removed: 1 },
    changesLeftOut: 0,
  });
  const byName = Object.fromEntries(changes.map((change) => [change.name, change]));
  expect(byName['rate-limiting']).toMatchObject({
    ...{ op: 'changed', kind: 'plugins', of: { service: 's' } },
    fields: [{ field: 'config.minute', before: 5, after: 7 }],
  });
  expect(byName.old).toMatchObject({ op: 'removed', kind: 'routes', of: { service: 's' } });
  expect(byName.old?.fields).toContainEqual({ field: 'paths', before: ['/old'] });
  expect(byName.new?.fields).toContainEqual({ field: 'paths', after: ['/new'] });
  expect(byName.new?.fields.map(({ field }) => field)).not.toContain('hosts'); // unset
});

test('a secret that changed is listed, and neither of its values is', () => {
  const consumer = (key: string, secret: string) => ({
    consumers: [
      {
        ...{ username: 'u', keyauth_credentials: [{ id: '3747d795-d802-569b-9ec3-e6a50a106a9d', key }] },
        jwt_secrets: [{ key: 'iss', secret }],
      },
    ],
  });

  const told = describeChanges(
    accepted(consumer('canary-key-1', 'canary-secret-1-that-is-long')),
    accepted(consumer('canary-key-2', 'canary-secret-2-that-is-long')),
    10,
  );

  expect(told.changes.map(({ kind, fields }) => [kind, fields])).toEqual([
    ['keyauth_credentials', [{ field: 'key', before: '[redacted]', after: '[redacted]' }]],
    ['jwt_secrets', [{ field: 'secret', before: '[redacted]', after: '[redacted]' }]],
  ]);
  expect(JSON.stringify(told)).not.toContain('canary');
});

test('of very many changes the first are told and the others are counted', () => {
  const to = accepted({ services: [1, 2, 3].map((n) => service({ name: `s${n}` })) });

  const told = describeChanges(new ConfigState(), to, 2);

  expect(told).toMatchObject({ counts: { added: 3 }, changesLeftOut: 1 });
  expect(told.changes).toHaveLength(2);
});
