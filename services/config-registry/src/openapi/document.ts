import type { Plugin } from '@sluice/plugins';
import { z } from 'zod';
import type { Role } from '../admin-access/admin-tokens.ts';
import { neededRole } from '../admin-access/needed-role.ts';
import { namedPath } from '../admin-api/collections.ts';
import { entityBodies, entityOperations, entityResponses } from './entity-operations.ts';
import { entitySchemas } from './entity-schemas.ts';
import { kongAnswers } from './kong-answers.ts';
import { kongOperations } from './kong-operations.ts';
import { answer, cleaned, empty, type Json, type Operation, responseRef, schemaRef } from './operation.ts';
import { NAMED } from './own-answers.ts';
import { ownOperations } from './own-operations.ts';

/** The description of the Admin API. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly security: readonly Json[];
  readonly servers: readonly Json[];
}

const DESCRIPTION = `Kong's Admin API over a configuration log, and the gateway's own endpoints beside it.

- Every path answers HEAD where it answers GET, and OPTIONS with the methods it has; another method is 405.
- {services} and its like take an id, or the name the entity has.
- Every change of the configuration is a new version: X-Sluice-Generation names it, X-Sluice-Acknowledged says how many edges serve it.
- Without ADMIN_TOKENS the API is open, as Kong's, and listens on loopback only. With them every request needs a role; it stands in the operation's security: viewer reads, operator changes the configuration and sees secrets, admin handles credentials.`;

/** In the order of the page: what is most often looked for first. */
const TAGS: Readonly<Record<string, string>> = {
  config: 'The whole configuration at once.',
  services: 'Upstream services.',
  routes: 'Which requests go to which service.',
  plugins: 'Policies, bound to routes, services, consumers, or to everything.',
  consumers: 'Who calls, with credentials.',
  upstreams: 'Several targets of one service, and their health.',
  ...{
    certificates: 'TLS certificates.',
    ca_certificates: 'Trusted authorities.',
    snis: 'Names of certificates.',
  },
  ...{ vaults: 'Where references to secrets lead.', keys: 'Keys.', 'key-sets': 'Sets of keys.' },
  ...{ 'key-auths': 'API keys of consumers.', 'basic-auths': 'Passwords of consumers.' },
  ...{ 'hmac-auths': 'HMAC secrets of consumers.', jwts: 'JWT secrets of consumers.' },
  ...{ acls: 'Groups of consumers.', oauth2: 'OAuth 2 clients, for tools; no plugin uses them.' },
  ...{ issuers: 'OIDC issuers. Not Kong’s.', tenants: 'Policies of single tenants. Not Kong’s.' },
  history: 'Versions of the configuration: compare, go back. Not Kong’s.',
  rehearsal: 'What a configuration would do: simulate, try on some edges. Not Kong’s.',
  observe: 'What happens: explain, traffic, traces, audit. Not Kong’s.',
  credentials: 'API keys of tenants, revoked tokens, sessions. Not Kong’s.',
  ...{ schemas: 'What may be written.', tags: 'Tags of entities.', cache: 'Answers that edges keep.' },
  node: 'This registry.',
  pages: 'For browsers.',
};

/** Describes every endpoint of the Admin API. `plugins`: those whose configuration is described. */
export const openApiDocument = (plugins: readonly Plugin[]): OpenApiDocument => ({
  openapi: '3.1.0',
  info: {
    ...{ title: 'Sluice Admin API', version: '1.0.0', description: DESCRIPTION },
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [
    { url: 'http://127.0.0.1:8001', description: 'ADMIN_HOST and ADMIN_PORT.' },
    { url: 'https://127.0.0.1:8444', description: 'ADMIN_TLS_PORT, where it is set.' },
  ],
  security: securityOf('viewer'),
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  paths: pathsOf({ ...kongOperations(), ...entityOperations(), ...ownOperations() }),
  components: {
    securitySchemes: SECURITY,
    parameters: PARAMETERS,
    headers: HEADERS,
    requestBodies: entityBodies(),
    responses: { ...COMMON_RESPONSES, ...entityResponses() },
    schemas: { ...kongAnswers, ...ownSchemas(), ...entitySchemas(plugins) },
  },
});

const SECURITY: Record<string, Json> = {
  bearer: { type: 'http', scheme: 'bearer', description: 'One of ADMIN_TOKENS.' },
  kongAdminToken: {
    type: 'apiKey',
    in: 'header',
    name: 'Kong-Admin-Token',
    description: 'The same, as Kong’s clients send it.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'sluice_session',
    description: 'Of POST /sluice/login; changes need X-Sluice-Csrf, too.',
  },
};

/** Any of the ways to say who one is, with the least role; `{}`: where there are no tokens, the API is open. */
const securityOf = (role: Role): Json[] => [...Object.keys(SECURITY).map((name) => ({ [name]: [role] })), {}];

const header = (description: string, schema: Json = { type: 'string' }): Json => ({ description, schema });
const HEADERS: Record<string, Json> = {
  Generation: header('The version that is in force, such as r12.'),
  Acknowledged: header('Of the live edges, how many serve it: 2/2.'),
  Refused: header('Which edge refused it, and why.'),
  Warnings: header('How many warnings there are.', { type: 'integer' }),
};

const sent = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'header',
  description,
  schema,
});
const asked = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  description,
  schema,
});
const PARAMETERS: Record<string, Json> = {
  size: asked('size', 'Entities of a page.', { type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
  offset: asked('offset', 'What the page before gave as offset.', { type: 'string' }),
  tags: asked('tags', 'a,b: those with all of these tags; a/b: with any. Five at most.', { type: 'string' }),
  author: sent(
    'X-Sluice-Author',
    'Who changes it, percent-encoded; with a token its name stands in its place.',
    { type: 'string', maxLength: 256 },
  ),
  message: sent('X-Sluice-Message', 'Why, for the history, percent-encoded.', {
    type: 'string',
    maxLength: 1000,
  }),
  expectedGeneration: sent(
    'X-Sluice-Expected-Generation',
    'What was looked at before: 409 where it is another by now.',
    { type: 'string', pattern: '^r\\d+$' },
  ),
};

const headersNamed = (...names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [`X-Sluice-${name}`, { $ref: `#/components/headers/${name}` }]));
const kongError = (description: string, example: object): Json =>
  answer(description, schemaRef('KongError'), example);
const COMMON_RESPONSES: Record<string, Json> = {
  Unauthenticated: answer('There are ADMIN_TOKENS, and none of them was sent.', schemaRef('Error')),
  Forbidden: answer('The role does not include this, or another site’s page asked.', schemaRef('Error')),
  Invalid: answer('The request does not say what it should.', schemaRef('Error'), {
    error: { code: 'invalid_request', message: 'from: give a version such as r12', details: {} },
  }),
  KongBadRequest: kongError('It is against the schema, or refers to nothing.', {
    ...{ code: 2, name: 'schema violation', message: 'schema violation (host: required field missing)' },
    fields: { host: 'required field missing' },
  }),
  KongNotFound: kongError('There is none.', { message: 'Not found' }),
  KongConflict: kongError('Another has this name, or the configuration is newer than was expected.', {
    ...{ code: 5, name: 'unique constraint violation' },
    message: 'UNIQUE violation detected on \'{name="agents"}\'',
    fields: { name: 'agents' },
  }),
  KongReadOnly: kongError('ADMIN_WRITES is off.', {
    ...{ code: 12, name: 'operation unsupported' },
    message: "cannot create 'routes' entities when not using a database",
  }),
  KongMediaType: empty('A body of this type is not read.'),
  LogUnavailable: answer(
    'The log of the configuration cannot be written; what is in force stays.',
    schemaRef('KongMessage'),
  ),
  ConfigApplied: {
    ...answer('Every entity, by kind and id.', { type: 'object', additionalProperties: { type: 'object' } }),
    headers: headersNamed('Generation', 'Acknowledged', 'Refused', 'Warnings'),
  },
};

const ownSchemas = (): Record<string, Json> => {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    ...{ io: 'input', unrepresentable: 'any' },
    uri: (id) => `#/components/schemas/${id}`,
  });
  return cleaned(schemas) as Record<string, Json>;
};

type Paths = Record<string, Record<string, Json>>;

const pathsOf = (operations: Readonly<Record<string, Operation>>): Paths => {
  const paths: Paths = {};
  for (const key of Object.keys(operations).sort(byPath)) {
    const [method = '', path = ''] = key.split(' ');
    const named = namedPath(path);
    const item = paths[named] ?? parametersOf(named);
    paths[named] = item;
    item[method.toLowerCase()] = operationOf(method, named, operations[key] as Operation);
  }
  return paths;
};

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const byPath = (one: string, other: string): number => {
  const [[a = '', b = ''], [c = '', d = '']] = [one.split(' '), other.split(' ')];
  return b === d ? METHODS.indexOf(a) - METHODS.indexOf(c) : b < d ? -1 : 1;
};

const parametersOf = (path: string): Record<string, Json> => {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true },
    schema: { type: 'string' },
  }));
  return parameters.length === 0 ? {} : { parameters: parameters as unknown as Json };
};

const operationOf = (method: string, path: string, operation: Operation): Json => {
  const { tag, summary, description, parameters, requestBody, responses } = operation;
  const role = operation.role ?? neededRole(method, path.replaceAll(/[{}]/g, ''));
  const guarded =
    role === 'none' ? {} : { 401: responseRef('Unauthenticated'), 403: responseRef('Forbidden') };
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(role === 'viewer' ? {} : { security: role === 'none' ? [] : securityOf(role) }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: {
      ...responses,
      ...Object.fromEntries(Object.entries(guarded).filter(([status]) => !Object.hasOwn(responses, status))),
    },
  };
};

/** `getServicesServicesRoutes`: as long as the path is, so that none is there twice. */
const operationId = (method: string, path: string): string =>
  `${method.toLowerCase()}${path
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)
    .join('')}`;
