import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeWith, validate } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
});
afterAll(() => world[Symbol.asyncDispose]());

const entity = (...messages: string[]) => ({ '@entity': messages });
const field = (config: Document) => ({ config });
const because = (name: string, config: Document) => ({
  ...entity(`failed conditional validation given value of field 'config.${name}'`),
  config,
});
const HEADER = (name: string) =>
  `bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
const AT_LEAST = 'at least one of these fields must be non-empty:';
const EXACTLY = "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'";
const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'].map((p) => `'config.${p}'`).join(', ');
const lists = "'config.allow', 'config.deny'";
const patterns = "'config.allow_patterns', 'config.deny_patterns'";
const limits = (videos: Document) => ({ limits: { videos } });
const redis = { policy: 'redis', minute: 1 };
const localhost = { redis: { host: 'localhost' } };
const http = (config: Document) => ({ http_endpoint: 'http://a', ...config });
const cache = (config: Document) => ({ strategy: 'memory', ...config });
const guard = (config: Document) => ({ deny_patterns: ['a'], ...config });
const noValue = (operation: string, place: string) =>
  field({ [operation]: { [place]: ["key 'a' has no value"] } });
const badName = (operation: string, name = 'a b') =>
  field({ [operation]: { headers: [`'${name}' is not a valid header`] } });

type Row = [plugin: string, given: string, config: Document, fields: Document];
test.each<Row>([
  [
    'jwt',
    'maximum_expiration without exp to verify',
    { maximum_expiration: 60, claims_to_verify: ['nbf'] },
    because('maximum_expiration', { claims_to_verify: 'expected to contain: exp' }),
  ],
  ['key-auth', 'a bad name of a header', { key_names: ['a b'] }, field({ key_names: [HEADER('a b')] })],
  ['acl', 'neither list', {}, entity(EXACTLY)],
  ['acl', 'both lists', { allow: ['a'], deny: ['b'] }, entity(EXACTLY)],
  ['rate-limiting', 'no limit', {}, entity(`${AT_LEAST} ${PERIODS}`)],
  [
    'rate-limiting',
    'a larger period with a smaller limit',
    { minute: 20, hour: 10 },
    entity('The limit for hour(10.0) cannot be lower than the limit for minute(20.0)'),
  ],
  [
    'rate-limiting',
    'limit_by header without a name',
    { minute: 1, limit_by: 'header' },
    because('limit_by', { header_name: 'required field missing' }),
  ],
  [
    'rate-limiting',
    'limit_by path without a path',
    { minute: 1, limit_by: 'path' },
    because('limit_by', { path: 'required field missing' }),
  ],
  [
    'rate-limiting',
    'a bad header name',
    { minute: 1, header_name: 'a b' },
    field({ header_name: HEADER('a b') }),
  ],
  [
    'rate-limiting',
    'a path without a slash',
    { minute: 1, path: 'a' },
    field({ path: 'should start with: /' }),
  ],
  [
    'rate-limiting',
    'policy redis without a host',
    redis,
    because('policy', { redis: { host: 'required field missing' } }),
  ],
  [
    'rate-limiting',
    'sync_rate and policy local',
    { minute: 1, sync_rate: 1 },
    entity('sync_rate can only be used with the redis policy'),
  ],
  [
    'rate-limiting',
    'a sync_rate that is too small',
    { ...redis, ...localhost, sync_rate: 0.01 },
    entity('sync_rate must be greater than 0.02, or -1 to disable'),
  ],
  [
    'rate-limiting',
    'an old and a new name with other values',
    { ...redis, redis_port: 1, redis: { host: 'a', port: 2 } },
    field({
      redis_port:
        'both deprecated and new field are used but their values mismatch: redis_port = 1 vs redis.port = 2',
    }),
  ],
  ['response-ratelimiting', 'no limits', { limits: {} }, field({ limits: 'length must be at least 1' })],
  [
    'response-ratelimiting',
    'a limit without a period',
    limits({}),
    field({
      limits: { videos: `${AT_LEAST} 'second', 'minute', 'hour', 'day', 'month', 'year'` },
    }),
  ],
  [
    'response-ratelimiting',
    'a larger period with a smaller limit',
    limits({ minute: 2, hour: 1 }),
    field({ limits: { videos: 'The limit for hour cannot be lower than the limit for minute' } }),
  ],
  [
    'request-transformer',
    'http_method in lower case',
    { http_method: 'get' },
    field({ http_method: 'invalid value: get' }),
  ],
  ...['rename', 'replace', 'add', 'append'].flatMap((operation): Row[] => [
    [
      'request-transformer',
      `${operation} without a value`,
      { [operation]: { body: ['a'] } },
      noValue(operation, 'body'),
    ],
    [
      'request-transformer',
      `${operation} of a bad name`,
      { [operation]: { headers: ['a b:c'] } },
      badName(operation),
    ],
    [
      'response-transformer',
      `${operation} without a value`,
      { [operation]: { json: ['a'] } },
      noValue(operation, 'json'),
    ],
    [
      'response-transformer',
      `${operation} of a bad name`,
      { [operation]: { headers: ['a b:c'] } },
      badName(operation),
    ],
  ]),
  ['request-transformer', 'remove of a bad name', { remove: { headers: ['a b'] } }, badName('remove')],
  [
    'request-transformer',
    'rename to a bad name',
    { rename: { headers: ['a:b c'] } },
    badName('rename', 'b c'),
  ],
  ['response-transformer', 'remove of a bad name', { remove: { headers: ['a b'] } }, badName('remove')],
  ['correlation-id', 'a bad header name', { header_name: 'a b' }, field({ header_name: HEADER('a b') })],
  [
    'cors',
    'a broken pattern',
    { origins: ['*', '('] },
    field({ origins: [null, "'(' is not a valid regex"] }),
  ],
  [
    'request-termination',
    'message and body',
    { message: 'a', body: 'b' },
    entity('message cannot be used with content_type or body'),
  ],
  [
    'request-termination',
    'content_type alone',
    { content_type: 'a' },
    entity('content_type requires a body'),
  ],
  [
    'request-termination',
    'echo and body',
    { echo: true, body: 'b' },
    entity('echo cannot be used with content_type and body'),
  ],
  ['request-termination', 'a bad trigger', { trigger: 'a b' }, field({ trigger: HEADER('a b') })],
  ['ip-restriction', 'neither list', {}, entity(`${AT_LEAST} ${lists}`)],
  ['ip-restriction', 'no address', { allow: ['a'] }, field({ allow: ["invalid ip or cidr range: 'a'"] })],
  [
    'ip-restriction',
    'no network',
    { deny: ['1.2.3.4/33'] },
    field({ deny: ["invalid ip or cidr range: '1.2.3.4/33'"] }),
  ],
  ['proxy-cache', 'no strategy', {}, field({ strategy: 'required field missing' })],
  [
    'proxy-cache',
    'no status',
    cache({ response_code: [] }),
    field({ response_code: 'length must be at least 1' }),
  ],
  ['http-log', 'no scheme', { http_endpoint: 'a' }, field({ http_endpoint: 'missing scheme in url' })],
  ...['Host', 'Content-Length', 'Content-Type'].map(
    (name): Row => [
      'http-log',
      `header ${name}`,
      http({ headers: { [name]: 'x' } }),
      field({ headers: `cannot contain '${name}' header` }),
    ],
  ),
  ['file-log', 'a bad path', { path: 'a*b' }, field({ path: 'not a valid filename' })],
  ['ai-prompt-guard', 'no list', {}, entity(`${AT_LEAST} ${patterns}`)],
  [
    'ai-prompt-guard',
    'eleven patterns',
    { deny_patterns: Array.from({ length: 11 }, () => 'a') },
    field({ deny_patterns: 'length must be at most 10' }),
  ],
  [
    'ai-prompt-guard',
    'a long pattern',
    { deny_patterns: ['a'.repeat(501)] },
    field({ deny_patterns: ['length must be at most 500'] }),
  ],
  [
    'ai-prompt-guard',
    'match_all_roles with allow_all_conversation_history',
    guard({ match_all_roles: true, allow_all_conversation_history: true }),
    because('match_all_roles', { allow_all_conversation_history: 'value must be false' }),
  ],
])('%s: given %s, then it is refused in the words of Kong', async (plugin, _given, config, fields) => {
  const answer = await validate(world, plugin, config);
  expect(answer.status).toBe(400);
  expect(answer.json<{ fields: unknown }>().fields).toEqual(fields);
});

test('bot-detection: given a broken pattern, then it is refused', async () => {
  const { fields } = (await validate(world, 'bot-detection', { deny: ['('] })).json<{
    fields: { config: { deny: string[] } };
  }>();
  expect(fields.config.deny[0]).toMatch(/^not a valid regex: \(/);
});

test('given several problems, then the message says how many, and the checks over fields come first', async () => {
  const answer = await validate(world, 'rate-limiting', { limit_by: 'header', error_code: 'x' });
  expect(answer.json<{ message: string }>().message).toBe(
    'schema violation (config.error_code: expected a number)',
  );
  const two = await validate(world, 'cors', { max_age: 'x', credentials: 1 });
  expect(two.json<{ message: string }>().message).toBe(
    '2 schema violations (config.credentials: expected a boolean; config.max_age: expected a number)',
  );
});

const loadWith = async (plugin: Document) => {
  const routes = [routeWith('a', [plugin])];
  return world.post('/config', { _format_version: '3.0', services: [{ name: 's', host: 'h', routes }] });
};

test('POST /config: a plugin that is wrong stands at its place in the document', async () => {
  const answer = await loadWith({ name: 'rate-limiting', config: { minute: 20, hour: 10 } });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({
    code: 14,
    fields: {
      services: [
        {
          routes: [
            {
              plugins: [entity('The limit for hour(10.0) cannot be lower than the limit for minute(20.0)')],
            },
          ],
        },
      ],
    },
  });
});

test.each([
  { name: 'rate-limiting', least: { minute: 1 } },
  { name: 'response-ratelimiting', least: limits({ minute: 1 }) },
])('$name: the old names of redis fields are mapped, and echoed on reads', async ({ name, least }) => {
  const place = { host: 'r', port: 6380, database: 2, timeout: 100, ssl: true, ssl_verify: true };
  const written: Document = { ...place, username: 'u', password: 'p', server_name: 's' };
  const old = Object.fromEntries(Object.entries(written).map(([name, value]) => [`redis_${name}`, value]));
  const config = { ...least, policy: 'redis', ...old };
  expect((await loadWith({ name, config })).status).toBe(201);
  const { data } = (await world.admin('/routes/a/plugins')).json<{ data: { config: Document }[] }>();
  expect(data[0]?.config).toMatchObject({ ...old, redis: written });
});

test.each([
  { name: 'rate-limiting', least: { minute: 1 } },
  { name: 'response-ratelimiting', least: limits({ minute: 1 }) },
])(
  '$name: redis.keepalive_pool_size and -backlog of Kong Enterprise are accepted',
  async ({ name, least }) => {
    const keepalive = { keepalive_pool_size: 256, keepalive_backlog: 0 };
    const config = { ...least, policy: 'redis', redis: { host: 'localhost', ...keepalive } };
    expect((await validate(world, name, config)).status).toBe(200);
  },
);
