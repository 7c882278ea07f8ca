import { generateKeyPairSync } from 'node:crypto';
import { issueCertificate } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';
import type { Document } from './world.ts';

/* Rules of single fields and between fields of one entity (kong-compat 1.6, 2), one row for each. */

const { answered } = useAdmin();

const { cert, key } = issueCertificate('a.test');
const { key: otherKey } = issueCertificate('b.test');
const service = (over: Document) => ({ host: 'h.test', ...over });
const tls = (over: Document) => service({ protocol: 'https', ...over });
const route = (over: Document) => ({ paths: ['/'], ...over });
const of = (over: Document) => ({ consumer: { id: UUID }, ...over });
const entity = (...messages: string[]) => ({ '@entity': messages });
const because = (field: string) => entity(`failed conditional validation given value of field '${field}'`);
const NULL = 'value must be null';
const MISSING = 'required field missing';
const between = (low: number, high: number) => `value should be between ${low} and ${high}`;
const PORTS = between(0, 65_535);
const TIMES = between(1, 2_147_483_646);
const GRPC = "'grpc' or 'grpcs'";
const HTTP = "'http' or 'https'";
const STREAM = "'tcp', 'tls', 'tls_passthrough' or 'udp'";
const cannotSet = (name: string, protocols: string) => ({
  [name]: `cannot set '${name}' when 'protocols' is ${protocols}`,
});
const exclusive = (...sets: string[]) => ({
  protocols: `these sets are mutually exclusive: ${sets.join(', ')}`,
});
const NAMES: Document = {
  rsa_public_key: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
};

type Row = [kind: string, body: Document, fields: Document];
const SERVICES: Row[] = [
  ...['connect_timeout', 'write_timeout', 'read_timeout'].flatMap((name): Row[] => [
    ['services', service({ [name]: 0 }), { [name]: TIMES }],
    ['services', service({ [name]: 2_147_483_647 }), { [name]: TIMES }],
    ['services', service({ [name]: 1.5 }), { [name]: 'expected an integer' }],
  ]),
  ['services', service({ retries: -1 }), { retries: between(0, 32_767) }],
  ['services', service({ port: -1 }), { port: PORTS }],
  ['services', service({ path: '/a//b' }), { path: 'must not have empty segments' }],
  ...['grpc', 'grpcs', 'tcp', 'tls', 'udp'].map(
    (protocol): Row => [
      'services',
      service({ protocol, path: '/x' }),
      { ...because('protocol'), path: NULL },
    ],
  ),
  ...Object.entries({
    client_certificate: { id: UUID },
    tls_verify: true,
    tls_verify_depth: 1,
    ca_certificates: [UUID],
  }).map(
    ([name, value]): Row => [
      'services',
      service({ [name]: value }),
      { ...because('protocol'), [name]: NULL },
    ],
  ),
  ['services', tls({ tls_verify_depth: 65 }), { tls_verify_depth: between(0, 64) }],
  ['services', tls({ tls_verify: 'x' }), { tls_verify: 'expected a boolean' }],
  ['services', tls({ ca_certificates: ['x'] }), { ca_certificates: ['expected a valid UUID'] }],
];
const ROUTES: Row[] = [
  ['routes', route({ methods: ['get'] }), { methods: ['invalid value: get'] }],
  ['routes', route({ hosts: ['a b'] }), { hosts: ['invalid value: a b'] }],
  ['routes', route({ regex_priority: 1.5 }), { regex_priority: 'expected an integer' }],
  ['routes', route({ preserve_host: 1 }), { preserve_host: 'expected a boolean' }],
  ['routes', route({ strip_path: 'x' }), { strip_path: 'expected a boolean' }],
  ['routes', route({ request_buffering: 'x' }), { request_buffering: 'expected a boolean' }],
  ['routes', route({ response_buffering: 'x' }), { response_buffering: 'expected a boolean' }],
  [
    'routes',
    route({ headers: { 'a b': ['x'] } }),
    { headers: expect.stringMatching(/^bad header name 'a b'/) },
  ],
  ['routes', route({ protocols: [] }), { protocols: 'length must be at least 1' }],
  ['routes', route({ protocols: ['http', 'grpc'] }), exclusive("('http', 'https')", "('grpc', 'grpcs')")],
  [
    'routes',
    { protocols: ['tls', 'tls_passthrough'], snis: ['a.test'] },
    exclusive("('tcp', 'tls', 'udp')", "('tls_passthrough')"),
  ],
  [
    'routes',
    route({ protocols: ['http'], snis: ['a.test'] }),
    { snis: "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'" },
  ],
  ['routes', route({ sources: [{ ip: '10.0.0.1' }] }), cannotSet('sources', HTTP)],
  ['routes', route({ destinations: [{ port: 1 }] }), cannotSet('destinations', HTTP)],
  ['routes', route({ protocols: ['grpc'], methods: ['GET'] }), cannotSet('methods', GRPC)],
  ['routes', route({ protocols: ['grpc'], strip_path: true }), cannotSet('strip_path', GRPC)],
  [
    'routes',
    { protocols: ['grpc'] },
    entity("must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'"),
  ],
  ['routes', { protocols: ['tcp'], paths: ['/'], destinations: [{ port: 1 }] }, cannotSet('paths', STREAM)],
  ['routes', { protocols: ['tcp'], destinations: [{ port: 65_536 }] }, { destinations: [{ port: PORTS }] }],
];
const ALL_OR_NONE = "all or none of these fields must be set: 'cert_alt', 'key_alt'";
const OTHERS: Row[] = [
  ['certificates', { cert }, { key: MISSING }],
  ['certificates', { cert, key: 'x' }, { key: 'invalid key' }],
  ['certificates', { cert, key: otherKey }, entity('certificate does not match key')],
  ['certificates', { cert, key, cert_alt: cert }, entity(ALL_OR_NONE)],
  ['certificates', { cert, key, key_alt: key }, entity(ALL_OR_NONE)],
  [
    'certificates',
    { cert, key, cert_alt: cert, key_alt: otherKey },
    entity('certificate does not match key'),
  ],
  ['ca_certificates', { cert }, { cert: expect.stringMatching(/missing the "CA" basic constraint$/) }],
  ['snis', { name: 'a.test' }, { certificate: MISSING }],
  [
    'snis',
    { name: 'a.*.test', certificate: { id: UUID } },
    { name: 'invalid wildcard: must be placed at leftmost or rightmost label' },
  ],
  ...['a', 'A1', '1a', 'a-', 'a_b'].map(
    (prefix): Row => ['vaults', { prefix, name: 'env', config: {} }, { prefix: `invalid value: ${prefix}` }],
  ),
  [
    'targets',
    { upstream: { id: UUID }, target: 'a:b:c' },
    { target: expect.stringMatching(/^Invalid target/) },
  ],
  ['targets', { target: 'a.test:80' }, { upstream: MISSING }],
  ['keyauth_credentials', of({ ttl: -1 }), { ttl: between(0, 100_000_000) }],
  ['keyauth_credentials', { key: 'x' }, { consumer: MISSING }],
  ['basicauth_credentials', of({ password: 'x' }), { username: MISSING }],
  ['hmacauth_credentials', of({}), { username: MISSING }],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'].map(
    (algorithm): Row => [
      'jwt_secrets',
      of({ algorithm }),
      { ...because('algorithm'), rsa_public_key: MISSING },
    ],
  ),
  ['jwt_secrets', of({ algorithm: 'RS256', rsa_public_key: 'x' }), { rsa_public_key: 'invalid key' }],
  ['keys', { kid: 'a' }, entity("at least one of these fields must be non-empty: 'jwk', 'pem'")],
  [
    'plugins',
    { name: 'cors', protocols: ['x'] },
    { protocols: [expect.stringMatching(/^expected one of: /)] },
  ],
  [
    'plugins',
    { name: 'cors', instance_name: 'a b' },
    { instance_name: expect.stringMatching(/^invalid value/) },
  ],
  ['plugins', { name: 'cors', ordering: { before: {} } }, { ordering: 'unknown field' }],
];

test.each([...SERVICES, ...ROUTES, ...OTHERS])('%s %o: fields say %o', async (kind, body, fields) => {
  const answer = await answered('POST', `/schemas/${kind}/validate`, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 2, name: 'schema violation' } });
  expect((answer.body as { fields: Document }).fields).toEqual(fields);
});

test.each<[kind: string, body: Document]>([
  ['services', tls({ tls_verify: true, tls_verify_depth: 64, ca_certificates: [UUID] })],
  ['services', service({ protocol: 'tls', client_certificate: { id: UUID } })],
  ['services', service({ path: '/caf%C3%A9', retries: 32_767, port: 0 })],
  ['routes', { protocols: ['https'], snis: ['*.a.test'] }],
  ['routes', { protocols: ['tcp', 'udp'], destinations: [{ ip: '10.0.0.0/8', port: 1 }] }],
  ['routes', { protocols: ['tls_passthrough'], snis: ['a.test'] }],
  ['routes', route({ headers: { 'x-a': ['~*^v\\d$'] } })],
  ['certificates', { cert, key, cert_alt: cert, key_alt: key }],
  ['certificates', { cert: '{vault://env/cert}', key: '{vault://env/key}' }],
  ['vaults', { prefix: 'a1-b', name: 'env', config: {}, description: 'd' }],
  ['jwt_secrets', of({ algorithm: 'ES256' })],
  ['jwt_secrets', of({ algorithm: 'EdDSA', ...NAMES })],
  ['keyauth_credentials', of({ ttl: 0 })],
  ['plugins', { name: 'cors', ordering: null }],
])('%s %o is valid', async (kind, body) => {
  expect(await answered('POST', `/schemas/${kind}/validate`, body)).toEqual({
    status: 200,
    body: { message: 'schema validation successful' },
  });
});
