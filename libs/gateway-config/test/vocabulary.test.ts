import { expect, test } from 'vitest';
import { refused } from './load.ts';

const service = { name: 's', host: 'a.test' };
const route = { name: 'r', paths: ['/a'] };
const ofService = (change: object, fields: unknown) => [
  { services: [{ ...service, ...change }] },
  { services: [fields] },
];
const ofRoute = (change: object, fields: unknown) => [
  { routes: [{ ...route, ...change }] },
  { routes: [fields] },
];
const ofUpstream = (change: object, fields: unknown) => [
  { upstreams: [{ name: 'u.test', ...change }] },
  { upstreams: [fields] },
];
const ofLog = (config: object, fields: unknown) => [
  { plugins: [{ name: 'http-log', config: { http_endpoint: 'http://log.test', ...config } }] },
  { plugins: [fields] },
];
const conditional = (field: string) => ({
  '@entity': [`failed conditional validation given value of field '${field}'`],
});

const table: Record<string, unknown[]> = {
  'format as number': [{ _format_version: 3 }, { _format_version: 'expected a string' }],
  'format unknown': [{ _format_version: '4.0' }, { _format_version: 'expected one of: 1.1, 2.1, 3.0' }],
  'format missing': [{ _format_version: null }, { _format_version: 'required field missing' }],
  'transform no boolean': [{ _transform: 1 }, { _transform: 'expected a boolean' }],
  'comment no string': [{ _comment: [] }, { _comment: 'expected a string' }],
  'unknown list': [{ consumer_groups: [] }, { consumer_groups: 'unknown field' }],
  'no list': [{ services: 'x' }, { services: 'expected an array' }],
  'unknown field': ofService({ hosst: 'x' }, { hosst: 'unknown field' }),
  'missing field': ofService({ host: null }, { host: 'required field missing' }),
  string: ofService({ name: 5 }, { name: 'expected a string' }),
  integer: ofService({ retries: '5' }, { retries: 'expected an integer' }),
  fraction: ofService({ retries: 1.5 }, { retries: 'expected an integer' }),
  boolean: ofService({ enabled: 'yes' }, { enabled: 'expected a boolean' }),
  array: ofRoute({ paths: '/a' }, { paths: 'expected an array' }),
  set: ofRoute({ methods: 'GET' }, { methods: 'expected a set' }),
  map: ofRoute({ headers: 'x' }, { headers: 'expected a map' }),
  record: ofUpstream({ healthchecks: 1 }, { healthchecks: 'expected a record' }),
  'nested record': ofUpstream(
    { healthchecks: { active: { type: 'x' } } },
    {
      healthchecks: { active: { type: 'expected one of: tcp, http, https, grpc, grpcs' } },
    },
  ),
  enum: ofService(
    { protocol: 'ftp' },
    { protocol: 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp' },
  ),
  range: ofService({ port: 65_536 }, { port: 'value should be between 0 and 65535' }),
  timeout: ofService({ read_timeout: 0 }, { read_timeout: 'value should be between 1 and 2147483646' }),
  empty: ofService({ host: '' }, { host: 'length must be at least 1' }),
  uuid: ofService({ id: 'x' }, { id: 'expected a valid UUID' }),
  name: ofService(
    { name: 'a b' },
    {
      name: "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
    },
  ),
  'host with port': ofService({ host: 'a.test:80' }, { host: 'must not have a port' }),
  'bad host': ofService({ host: 'a b' }, { host: 'invalid value: a b' }),
  'service path': ofService({ path: 'x' }, { path: 'should start with: /' }),
  'service path segments': ofService({ path: '/a//b' }, { path: 'must not have empty segments' }),
  'url without host': ofService({ url: 'http:///x', host: null }, { host: 'required field missing' }),
  'url no string': ofService({ url: 5 }, { url: 'unknown field' }),
  'must be null': ofService(
    { protocol: 'tcp', path: '/x' },
    { path: 'value must be null', ...conditional('protocol') },
  ),
  'tls only': ofService(
    { tls_verify: true },
    { tls_verify: 'value must be null', ...conditional('protocol') },
  ),
  'route path': ofRoute(
    { paths: ['a'] },
    { paths: ['should start with: / (fixed path) or ~/ (regex path)'] },
  ),
  'route path segments': ofRoute(
    { paths: ['/', '/a//b'] },
    { paths: [null, 'must not have empty segments'] },
  ),
  'route path form': ofRoute(
    { paths: ['/a/../b%41'] },
    { paths: ["non-normalized path, consider use '/bA' instead"] },
  ),
  'route path escape': ofRoute({ paths: ['/%zz'] }, { paths: ["invalid url-encoded value: '%zz'"] }),
  'route regex': ofRoute(
    { paths: ['~/(a'] },
    { paths: ["invalid regex: '/(a' (PCRE returned: unterminated group)"] },
  ),
  'route look-around': ofRoute(
    { paths: ['~/a(?=b)'] },
    {
      paths: ["invalid regex: '/a(?=b)' (PCRE returned: look-around is not supported)"],
    },
  ),
  method: ofRoute({ methods: ['get'] }, { methods: ['invalid value: get'] }),
  'route host': ofRoute({ hosts: ['a b'] }, { hosts: ['invalid value: a b'] }),
  'wildcard place': ofRoute(
    { hosts: ['a.*.b'] },
    { hosts: ['invalid wildcard: must be placed at leftmost or rightmost label'] },
  ),
  'wildcard count': ofRoute(
    { hosts: ['*.b.*'] },
    { hosts: ['invalid wildcard: must have at most one wildcard'] },
  ),
  'header name': ofRoute(
    { headers: { 'a b': ['x'] } },
    {
      headers: "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
    },
  ),
  'host header': ofRoute(
    { headers: { Host: ['x'] } },
    {
      headers: "cannot contain 'host' header, which must be specified in the 'hosts' attribute",
    },
  ),
  tag: ofRoute(
    { tags: ['a/b'] },
    {
      tags: ["invalid tag 'a/b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"],
    },
  ),
  protocols: ofRoute(
    { protocols: ['http', 'tcp'] },
    {
      protocols: "these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')",
    },
  ),
  'no matcher': ofRoute(
    { paths: null },
    {
      '@entity': [
        "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
      ],
    },
  ),
  'no http matcher': ofRoute(
    { paths: [], protocols: ['http'] },
    {
      '@entity': ["must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"],
    },
  ),
  sources: ofRoute(
    { sources: [{ ip: '10.0.0.1' }] },
    { sources: "cannot set 'sources' when 'protocols' is 'http' or 'https'" },
  ),
  'grpc strip': ofRoute(
    { protocols: ['grpc'], strip_path: true },
    {
      strip_path: "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'",
    },
  ),
  consumer: [
    { consumers: [{}] },
    {
      consumers: [{ '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"] }],
    },
  ],
  'upstream ip': ofUpstream(
    { name: '10.0.0.1' },
    { name: "Invalid name ('10.0.0.1'); no ip addresses allowed" },
  ),
  'hash header': ofUpstream(
    { hash_on: 'header' },
    { hash_on_header: 'required field missing', ...conditional('hash_on') },
  ),
  'hash fallback': ofUpstream(
    { hash_fallback: 'ip' },
    { hash_fallback: 'expected one of: none', ...conditional('hash_on') },
  ),
  target: [
    { upstreams: [{ name: 'u', targets: [{ target: 'a b' }] }] },
    { upstreams: [{ targets: [{ target: "Invalid target ('a b'); not a valid hostname or ip address" }] }] },
  ],
  vault: [
    { vaults: [{ prefix: 'aws-1', name: 'aws' }] },
    { vaults: [{ name: "vault 'aws' is not installed" }] },
  ],
  'jwt key': [
    { consumers: [{ username: 'u', jwt_secrets: [{ algorithm: 'RS256' }] }] },
    {
      consumers: [
        { jwt_secrets: [{ rsa_public_key: 'required field missing', ...conditional('algorithm') }] },
      ],
    },
  ],
  certificate: [
    { certificates: [{ cert: 'x', key: 'y' }] },
    { certificates: [{ cert: 'invalid certificate', key: 'invalid key' }] },
  ],
  'reference by name': ofRoute({ service: { name: 's' } }, { service: { id: 'missing primary key' } }),
  'reference type': ofRoute({ service: 5 }, { service: 'expected a string' }),
  'parent written again': [
    { services: [{ ...service, routes: [{ ...route, service: 's' }] }] },
    { services: [{ routes: [{ service: 'value must be null' }] }] },
  ],
  'plugin unknown': [
    { plugins: [{ name: 'nope' }] },
    { plugins: [{ name: "plugin 'nope' not enabled; add it to the 'plugins' configuration property" }] },
  ],
  'plugin unnamed': [{ plugins: [{}] }, { plugins: [{ name: 'required field missing' }] }],
  'plugin mode': [
    { plugins: [{ name: 'cors', mode: 'of' }] },
    { plugins: [{ mode: 'expected one of: enforce, shadow, off' }] },
  ],
  'plugin of consumer': [
    { consumers: [{ username: 'u', plugins: [{ name: 'jwt' }] }] },
    { consumers: [{ plugins: [{ consumer: 'value must be null' }] }] },
  ],
  'plugin ordering': [
    { plugins: [{ name: 'cors', ordering: {} }] },
    { plugins: [{ ordering: 'unknown field' }] },
  ],
  'config no record': [
    { plugins: [{ name: 'http-log', config: 'x' }] },
    { plugins: [{ config: 'expected a record' }] },
  ],
  'config missing': ofLog({ http_endpoint: null }, { config: { http_endpoint: 'required field missing' } }),
  'config string': ofLog({ http_endpoint: 5 }, { config: { http_endpoint: 'expected a string' } }),
  'config url host': ofLog(
    { http_endpoint: 'http://' },
    { config: { http_endpoint: 'missing host in url' } },
  ),
  'config url scheme': ofLog(
    { http_endpoint: 'log.test' },
    { config: { http_endpoint: 'missing scheme in url' } },
  ),
  'config enum': ofLog({ method: 'GET' }, { config: { method: 'expected one of: POST, PUT' } }),
  'config enum type': ofLog({ method: 1 }, { config: { method: 'expected a string' } }),
  'config unknown': ofLog({ queue: { x: 1 } }, { config: { queue: { x: 'unknown field' } } }),
  'config integer': ofLog(
    { queue: { max_entries: '1' } },
    { config: { queue: { max_entries: 'expected an integer' } } },
  ),
  'config own message': ofLog({ custom: 5 }, { config: { custom: 'a sentence of its own' } }),
  'config uuid': ofLog({ id: 'x' }, { config: { id: 'expected a valid UUID' } }),
  'config start': ofLog({ prefix: 'x' }, { config: { prefix: 'should start with: /' } }),
  'config length': ofLog({ name: 'ab' }, { config: { name: 'length must be at least 3' } }),
  'config list item': ofLog(
    { steps: [{ weight: 1 }, { weight: 0 }] },
    {
      config: { steps: [null, { weight: 'value must be greater than 0' }] },
    },
  ),
  'config range': [
    { plugins: [{ name: 'rate-limiting', config: { minute: 1, redis: { port: -1 } } }] },
    { plugins: [{ config: { redis: { port: 'value should be between 0 and 65535' } } }] },
  ],
  'config entity check': [
    { plugins: [{ name: 'rate-limiting' }] },
    {
      plugins: [
        { '@entity': ["at least one of these fields must be non-empty: 'config.second', 'config.minute'"] },
      ],
    },
  ],
  issuer: [{ issuers: [{ name: 'i' }] }, { issuers: [{ issuer: 'required field missing' }] }],
};

test.each(Object.entries(table))('refused as Kong refuses it: %s', (_, [document, fields]) => {
  expect(refused(document as Record<string, unknown>).fields).toEqual(fields);
});

test('the message holds the fields as a Lua literal', () => {
  const { message } = refused({ services: [{ port: 65_536 }] });
  expect(message).toBe(
    'declarative config is invalid: ' +
      '{services={{host="required field missing",port="value should be between 0 and 65535"}}}',
  );
});
