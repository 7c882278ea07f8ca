import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, statusesOf, World } from './world.ts';

const LIMIT = 2;
const limitBy = (config: object) => ({
  name: 'rate-limiting',
  config: { hour: LIMIT, policy: 'redis', redis: { host: 'redis' }, exact: true, ...config },
});
const byHeader = (name: string) => limitBy({ limit_by: 'header', header_name: name });

const tokenOf = (claims: object): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256' })}.${part({ iss: 'issuer', exp: 4_000_000_000, ...claims })}`;
  return `${text}.${createHmac('sha256', 'hush').update(text).digest('base64url')}`;
};
const BEARER = `Authorization: Bearer ${tokenOf({ tenant_id: 'acme' })}`;
/** The same token signed once more: another text, and no other tenant. */
const BEARER_AGAIN = `Authorization: Bearer ${tokenOf({ tenant_id: 'acme', jti: '2' })}`;

/** Ways for one and the same caller to send a request, by what it is counted by. Each is a path's end and lines. */
interface Evasion {
  readonly name: string;
  readonly plugins: readonly object[];
  readonly tries: readonly (string | readonly [path: string, lines: string])[];
}
const EVASIONS: readonly Evasion[] = [
  {
    name: 'a header, however it is spelled or repeated',
    plugins: [byHeader('X-Plan')],
    tries: [
      ...[
        'X-Plan: gold',
        'x-plan: gold',
        'X-PLAN:gold',
        'X-Plan:\tgold',
        'X-Plan: \t gold \t',
        'X-Plan: gold ',
      ],
      ...['X-Plan: gold\r\nX-Plan: gold', 'X-Plan: gold\r\nX-Plan: silver', 'X-Plan: silver\r\nx-plan: gold'],
      ...[
        'X-Plan:\r\nX-Plan: gold',
        'X-Plan: gold\r\nX-Plan:',
        'X_Plan: gold',
        'x_plan: gold\r\nX-Plan: gold',
      ],
      ...['X-Plan : gold', 'X-Plan: gold\r\nX-Plan : gold', 'X-Plan: gold\r\nConnection: close, X-Plan'],
      ...['X-Plan: gold\r\n\tand more', ' X-Plan: gold'],
    ],
  },
  {
    name: 'a header that is missing or empty',
    plugins: [byHeader('X-Plan')],
    tries: [
      '',
      'X-Plan:',
      'x-plan: ',
      'X-Plan: \t',
      'X-Plan:\r\nX-Plan:',
      'X-Other: 1',
      'X-Plan-2: gold',
      'XPlan: gold',
    ],
  },
  {
    name: 'a tenant that nobody verified',
    plugins: [byHeader('X-Tenant-Id')],
    tries: [
      ...[
        'X-Tenant-Id: acme',
        'x-tenant-id: acme',
        'X-TENANT-ID:\tacme ',
        'X-Tenant-Id: acme\r\nX-Tenant-Id: acme',
      ],
      ...['X-Tenant-Id: acme\r\nX-Tenant-Id: other', 'X-Tenant-Id: other\r\nX-Tenant-Id: acme'],
      ...['X-Tenant-Id: acme, other', 'X-Tenant-Id: other,acme', 'X-Tenant-Id: acme,', 'X-Tenant-Id: ,acme'],
      ...['X_Tenant_Id: acme', 'X-Tenant_Id: acme', 'X-Tenant-Id:\r\nX-Tenant-Id: acme'],
    ],
  },
  {
    name: 'a tenant that its token names',
    plugins: [{ name: 'jwt' }, byHeader('X-Tenant-Id')],
    tries: [
      ...[BEARER, BEARER_AGAIN, `${BEARER}\r\nX-Tenant-Id: acme`, `X-Tenant-Id: acme\r\n${BEARER_AGAIN}`],
      ...['X-Tenant-Id: other', 'X-Tenant-Id: acme, other', 'X-Tenant-Id: ACME', 'X_Tenant_Id: other'].map(
        (line) => `${BEARER}\r\n${line}`,
      ),
      ...[
        'X-Tenant-Id: acme\r\nX-Tenant-Id: other',
        'X-Tenant-Id:\r\nX-Tenant-Id: other',
        'X-Tenant-Id:',
      ].map((lines) => `${BEARER}\r\n${lines}`),
      ['?jwt=x', BEARER],
    ],
  },
  {
    name: 'an address, whatever a client says of its own',
    plugins: [limitBy({ limit_by: 'ip' })],
    tries: [
      ...['', 'X-Forwarded-For: 1.1.1.1', 'x-forwarded-for: 2.2.2.2, 127.0.0.1', 'X-Real-IP: 3.3.3.3'],
      ...[
        'Forwarded: for=4.4.4.4',
        'X-Forwarded-For: 5.5.5.5\r\nX-Forwarded-For: 6.6.6.6',
        'X-Client-IP: 7.7.7.7',
      ],
      ...[
        'True-Client-IP: 8.8.8.8',
        'CF-Connecting-IP: 9.9.9.9',
        'X-Cluster-Client-IP: 1.1.1.2',
        'Via: 1.1 proxy',
      ],
    ],
  },
  {
    name: 'a key, wherever it is shown',
    plugins: [
      { name: 'key-auth', config: { key_names: ['apikey', 'x-key'] } },
      limitBy({ limit_by: 'credential' }),
    ],
    tries: [
      ...[
        'apikey: k-{n}',
        'APIKEY: k-{n}',
        'x-key: k-{n}',
        'apikey:\tk-{n}',
        'apikey: k-{n}\r\nx-key: other',
      ],
      ...[
        'apikey: k-{n}\r\napikey: k-{n}',
        'apikey: other\r\napikey: k-{n}',
        'x_key: k-{n}',
        'apikey: k-{n}, other',
      ],
      ...(['?apikey=k-{n}', '?x-key=k-{n}', '?apikey=k-{n}&apikey=other'] as const).map(
        (path) => [path, ''] as const,
      ),
    ],
  },
  {
    name: 'a service, by any path and method',
    plugins: [limitBy({ limit_by: 'service' })],
    tries: [
      ['', ''],
      ['/', ''],
      ['//', ''],
      ['?a', ''],
      ['/%41', ''],
      ['/a/../b', ''],
      ['/.', 'X-HTTP-Method-Override: PUT'],
    ],
  },
];

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = ENGINES.flatMap((engine, e) =>
    EVASIONS.map(({ plugins }, n) => ({
      name: `${engine}-${n}`,
      paths: [`/${e}-${n}`],
      strip_path: false,
      plugins,
    })),
  );
  await world.load({
    services: routes.map((route) => world.service(`s-${route.name}`, [route])),
    consumers: [
      { username: 'somebody', jwt_secrets: [{ key: 'issuer', secret: 'hush' }] },
      { username: 'keyed', keyauth_credentials: ENGINES.map((_, e) => ({ key: `k-${e}` })) },
      { username: 'other', keyauth_credentials: [{ key: 'other' }] },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each(ENGINES.map((engine, e) => [engine, e] as const))('by %s', (engine, e) => {
  test.each(EVASIONS.map(({ name, tries }, n) => [name, tries, n] as const))(
    'given a limit of 2 by %s, then two pass and no more',
    async (_name, tries, n) => {
      const admitted: unknown[] = [];
      const refused: number[] = [];
      for (const one of tries) {
        const [path, lines] = typeof one === 'string' ? ['', one] : one;
        const head = `GET /${e}-${n}${path} HTTP/1.1\r\nHost: h.test\r\n${lines === '' ? '' : `${lines}\r\n`}`;
        const close = lines.includes('Connection:') ? '' : 'Connection: close\r\n';
        const text = await world.send(engine, `${head}${close}\r\n`.replaceAll('{n}', `${e}`));
        const [status = 0] = statusesOf(text);
        if (status === 200) admitted.push(one);
        else refused.push(status);
      }
      expect(admitted).toHaveLength(LIMIT);
      for (const status of refused) expect([400, 401, 403, 404, 429]).toContain(status);
      // Some of them are what they seem to be, and only too many.
      expect(refused).toContain(429);
    },
  );
});
