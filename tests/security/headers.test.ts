import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, statusesOf, World } from './world.ts';

const LIMITED = {
  name: 'rate-limiting',
  config: {
    minute: 1000,
    policy: 'redis',
    redis: { host: 'redis' },
    limit_by: 'header',
    header_name: 'X-Plan',
  },
};
const KEYED = { name: 'key-auth', config: { key_names: ['x-app-key', 'app_token'], anonymous: 'nobody' } };
const TEMPLATED = {
  name: 'request-transformer',
  config: { add: { headers: ['X-Copy:$(headers.x-source)'] } },
};

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  const routes = [
    { name: 'plain', paths: ['/plain'], strip_path: false },
    { name: 'guarded', paths: ['/guarded'], strip_path: false, plugins: [LIMITED, KEYED, TEMPLATED] },
  ];
  await world.load({ services: [world.service('all', routes)], consumers: [{ username: 'nobody' }] });
});
afterAll(() => world[Symbol.asyncDispose]());

const PROTECTED = [
  ...[
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Content-Type',
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
  ],
  ...['X-Consumer-Id', 'X-Consumer-Username', 'X-Credential-Identifier', 'X-Anonymous-Consumer'],
  ...[
    'X-Authenticated-Groups',
    'X-Tenant-Id',
    'X-Platform-Id',
    'X-User-Id',
    'X-Request-Id',
    'traceparent',
    'Via',
  ],
  ...[
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Prefix',
    'X-Real-IP',
  ],
  ...['X-Kong-Request-Id'],
];
const READ_BY_PLUGINS = ['X-Plan', 'X-App-Key', 'App_Token', 'X-Source'];

/** The ways to name a header in `Connection`, `{name}` filled in. */
const NOMINATIONS = [
  'Connection: close, {name}\r\n',
  'Connection: {name}, close\r\n',
  'Connection: close,\t{NAME} ,x\r\n',
  'Connection: close\r\nConnection: {name}\r\n',
  'connection: keep-alive,,{lower},\r\nConnection: close\r\n',
];
const fill = (template: string, name: string): string =>
  template
    .replace('{name}', name)
    .replace('{NAME}', name.toUpperCase())
    .replace('{lower}', name.toLowerCase());

describe.each(ENGINES)('by %s', (engine) => {
  const get = async (folder: string, lines: string) => {
    const path = `/${folder}/${engine}-${++serial}`;
    const text = await world.send(engine, `GET ${path} HTTP/1.1\r\nHost: h.test\r\n${lines}\r\n`);
    const seen = world.origin.seen(path);
    const values = (name: string) =>
      seen.flatMap(({ lines: got }) => got.filter(([key]) => key.toLowerCase() === name).map(([, v]) => v));
    return { statuses: statusesOf(text), seen, values };
  };

  test.each(PROTECTED)(
    'given Connection that names %s, then 400, and the origin sees nothing',
    async (name) => {
      for (const template of NOMINATIONS) {
        const { statuses, seen } = await get('plain', `X-Mine: 1\r\n${fill(template, name)}`);
        expect({ template, statuses, seen }).toEqual({ template, statuses: [400], seen: [] });
      }
    },
  );

  test.each(READ_BY_PLUGINS)(
    'given Connection that names %s, which a plugin of the route reads, then 400; on another route it is dropped',
    async (name) => {
      const lines = `${name}: 1\r\n${fill(NOMINATIONS[0] as string, name)}`;
      expect(await get('guarded', lines)).toMatchObject({ statuses: [400], seen: [] });
      const plain = await get('plain', lines);
      expect(plain.statuses).toEqual([200]);
      expect(plain.values(name.toLowerCase())).toEqual([]);
    },
  );

  test('given Connection that names ordinary headers, then they go no further, and neither does it', async () => {
    const lines = 'X-One: 1\r\nX-One: 2\r\nX-Two: 2\r\nX-Three: 3\r\nConnection: X-ONE,\tx-two , close\r\n';
    const { statuses, values } = await get('plain', lines);
    expect(statuses).toEqual([200]);
    expect([values('x-one'), values('x-two'), values('x-three')]).toEqual([[], [], ['3']]);
    expect(values('connection')).toEqual(['keep-alive']);
  });

  test('given Connection with thousands of names, then it costs no more than its line', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `x-${i}`).join(',');
    const lines = Array.from({ length: 400 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
    const { statuses, values } = await get('plain', `${lines}Connection: close,${names}\r\n`);
    expect(statuses).toEqual([200]);
    expect(values('x-399')).toEqual([]);
  });

  test.each([
    ...[
      'X_Tenant_Id',
      'x_tenant-id',
      'X-Tenant_Id',
      'X.Tenant.Id',
      'X_TENANT_ID',
      'X_Request_Id',
      'X_User_Id',
    ],
    ...[
      'X_Forwarded_For',
      'X_Forwarded_Host',
      'X_Real_IP',
      'Content_Length',
      'Content-Length_',
      'Transfer_Encoding',
    ],
    ...[
      'Proxy_Authorization',
      'X~Tenant~Id',
      "X'Tenant'Id",
      'Content.Length',
      'Content_Type',
      'X_Kong_Request_Id',
    ],
  ])('given %s, which some upstreams take for the header with dashes, then 400', async (name) => {
    const lines = `${name}: 1\r\nConnection: close\r\n`;
    if (name !== 'Content-Length_')
      expect(await get('plain', lines)).toMatchObject({ statuses: [400], seen: [] });
    else expect((await get('plain', lines)).values('content-length')).toEqual([]);
  });

  test('given a look-alike of a header that a plugin reads, then 400 on its route alone', async () => {
    for (const name of ['X_Plan', 'X_App_Key', 'X.Source']) {
      const lines = `${name}: 1\r\nConnection: close\r\n`;
      expect((await get('guarded', lines)).statuses, name).toEqual([400]);
      expect((await get('plain', lines)).statuses, name).toEqual([200]);
    }
    expect((await get('guarded', 'App_Token: 1\r\nConnection: close\r\n')).statuses).toEqual([200]);
  });

  test.each([
    ...['X-Consumer-Id', 'X-Consumer-Username', 'X-Consumer-Custom-Id', 'X-Consumer-Groups', 'X_Consumer_Id'],
    ...['X-Credential-Identifier', 'X-Credential-Username', 'X-Anonymous-Consumer', 'X-Authenticated-Groups'],
    ...['X.Consumer.Id', 'x_credential_identifier', 'X-Authenticated-UserId', 'X-Authenticated-Scope'],
    ...['X-Original-URL', 'X-Rewrite-URL', 'Forwarded', 'X-Forwarded-Server', 'X-Forwarded-Scheme', 'Proxy'],
  ])('given a client that says %s, then the upstream does not hear it', async (name) => {
    const { statuses, seen } = await get('plain', `${name}: evil-value\r\nConnection: close\r\n`);
    expect(statuses).toEqual([200]);
    expect(JSON.stringify(seen)).not.toContain('evil-value');
  });

  test('given forwarding headers of a client, then the upstream has ours', async () => {
    const said = ['Proto: https', 'Host: evil.test', 'Port: 1', 'Path: /admin', 'Prefix: /admin'];
    const lines = said.map((line) => `X-Forwarded-${line}\r\n`).join('');
    const { values } = await get('plain', `${lines}X-Real-IP: 1.1.1.1\r\nConnection: close\r\n`);
    expect(values('x-forwarded-proto')).toEqual(['http']);
    expect(values('x-forwarded-host')).toEqual(['h.test']);
    expect(values('x-forwarded-port')).not.toEqual(['1']);
    expect(values('x-forwarded-path')).toEqual([expect.stringMatching(/^\/plain\//)]);
    expect(values('x-forwarded-prefix')).toEqual([]);
    expect(values('x-real-ip')).toEqual(['127.0.0.1']);
  });

  test.each([
    ['with a length', 'Content-Length: 5\r\n', 'hello'],
    ['with chunks', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ])('given a WebSocket handshake %s, then 400', async (_, lines, body) => {
    const path = `/plain/${engine}-ws-${++serial}`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n';
    const head = `GET ${path} HTTP/1.1\r\nHost: h.test\r\n${upgrade}${lines}\r\n`;
    const text = await world.send(
      engine,
      `${head}${body}GET /smuggled-ws-${serial} HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
    expect(statusesOf(text)).toEqual([400]);
    expect([...world.origin.seen(path), ...world.origin.seen(`/smuggled-ws-${serial}`)]).toEqual([]);
  });
});
