import { expect, test } from 'vitest';
import { z } from 'zod';
import { catalogOf, definePlugin, pluginCatalog } from '../src/index.ts';

test("plugins run in Kong's order, ties by name, descending", () => {
  expect(pluginCatalog.all().map(({ name, priority }) => `${priority} ${name}`)).toEqual([
    '200000 shadow',
    '100001 request-id',
    '100001 correlation-id',
    '100000 zipkin',
    '2500 bot-detection',
    '2000 cors',
    '1450 jwt',
    '1250 key-auth',
    '1100 basic-auth',
    '1050 oidc',
    '1030 hmac-auth',
    '990 ip-restriction',
    '951 request-size-limiting',
    '950 acl',
    '920 tenant-binding',
    '910 rate-limiting',
    '900 response-ratelimiting',
    '900 quota-mirror',
    '850 request-validation',
    '801 request-transformer',
    '800 response-transformer',
    '790 response-validation',
    '771 ai-prompt-guard',
    '770 prompt-guard',
    '100 proxy-cache',
    '14 opentelemetry',
    '13 prometheus',
    '12 http-log',
    '9 file-log',
    '8 udp-log',
    '7 tcp-log',
    '2 request-termination',
  ]);
});

test('a plugin is found by its name, and only then', () => {
  expect(pluginCatalog.get('jwt')).toMatchObject({ name: 'jwt', consumerScope: false });
  expect(pluginCatalog.get('toString')).toBeUndefined();
  expect(pluginCatalog.names()).toContain('quota-mirror');
});

test("a user's plugin stands among the others by its priority", () => {
  const mine = definePlugin({ name: 'mine', priority: 1000, summary: 'Mine.', config: z.strictObject({}) });
  const names = catalogOf([...pluginCatalog.all(), mine]).names();
  const at = names.indexOf('mine');
  expect(names.slice(at - 1, at + 2)).toEqual(['hmac-auth', 'mine', 'ip-restriction']);
});

test.each(pluginCatalog.all())(
  '$name: every field has a description and the schema refuses unknown keys',
  ({ config }) => {
    const schema = z.toJSONSchema(config, { io: 'input' }) as {
      properties?: Record<string, { description?: string }>;
    };
    const fields = Object.entries(schema.properties ?? {});
    expect(fields.length).toBeGreaterThan(0);
    for (const [name, { description }] of fields) expect(description, name).toBeTruthy();
    const { error } = config.safeParse({ 'no-such-key': 1 });
    expect(error?.issues.map(({ message }) => message)).toContain('unknown field');
  },
);

/** A new plugin that goes by a header has to say so, or leave `reads` out: its whole configuration counts then. */
test('each plugin says which headers it goes by', () => {
  const spoken = pluginCatalog
    .all()
    .map(({ name, reads }) => [
      name,
      reads === undefined
        ? 'all it mentions'
        : [...(reads.always ?? []), ...(reads.namedBy ?? []).map((f) => `{${f}}`)].join(' '),
    ]);
  const TRACE = 'b3 x-b3-traceid x-b3-spanid x-b3-sampled uber-trace-id';
  expect(Object.fromEntries(spoken.filter(([, said]) => said !== ''))).toEqual({
    shadow: 'x-sluice-shadow {marker}',
    'correlation-id': '{header_name}',
    'request-id': '{header_name}',
    zipkin: `${TRACE} {tags_header} {propagation}`,
    opentelemetry: `${TRACE} {propagation}`,
    'bot-detection': 'user-agent',
    cors: 'origin access-control-request-method access-control-request-headers',
    jwt: '{header_names}',
    oidc: '{header_names}',
    'key-auth': '{key_names}',
    'basic-auth': 'authorization',
    'hmac-auth': 'date x-date digest {enforce_headers}',
    'tenant-binding': '{tenant_header} {platform_header} {user_header}',
    'rate-limiting': '{header_name}',
    'request-validation': '{headers_schema} {openapi}',
    'request-transformer': 'all it mentions',
    'response-transformer': 'all it mentions',
    'prompt-guard': 'x-prompt-guard',
    'proxy-cache': 'cache-control {vary_headers}',
    'request-termination': '{trigger}',
  });
  for (const { config, reads } of pluginCatalog.all()) {
    const { properties = {} } = z.toJSONSchema(config, { io: 'input' }) as { properties?: object };
    for (const field of reads?.namedBy ?? []) expect(properties).toHaveProperty(field);
  }
});
