import { MAX_CONFIG_LENGTH } from '@sluice/gateway-config';
import { CONFIG_BODY } from './config-body.ts';
import {
  answer,
  CHANGE,
  empty,
  type Json,
  jsonBody,
  type Operation,
  type Operations,
  queryParameter,
  responseRef,
  schemaRef,
} from './operation.ts';

const object: Json = { type: 'object' };
const string: Json = { type: 'string' };
const message = (description: string, said: string): Json =>
  answer(description, schemaRef('KongError'), { message: said });
const MISSING = { 404: responseRef('KongNotFound') };

const config: Operations = {
  'GET /config': {
    tag: 'config',
    summary: 'Read the whole configuration',
    responses: {
      200: answer('As YAML, with secrets.', {
        ...object,
        properties: { config: string },
        required: ['config'],
      }),
    },
  },
  'POST /config': {
    tag: 'config',
    summary: 'Replace the whole configuration',
    description:
      'Answered when it is stored and every live edge serves it, or after ACK_TIMEOUT_MS; ' +
      'X-Sluice-Acknowledged says how many do.',
    parameters: [
      queryParameter(
        'check_hash',
        { type: 'string', const: '1' },
        'Answer 304 where this text is in force already.',
      ),
      queryParameter(
        'flatten_errors',
        { type: 'string', enum: ['1', 'true', 'on', 'yes'] },
        'Errors by entity, too.',
      ),
      ...CHANGE,
    ],
    requestBody: CONFIG_BODY,
    responses: {
      201: responseRef('ConfigApplied'),
      304: empty('It is in force already.'),
      400: answer('It is no valid configuration; the one in force stays.', schemaRef('ConfigRefused')),
      409: answer('The configuration is newer than X-Sluice-Expected-Generation.', schemaRef('Stale')),
      413: message('It is too large.', `request body larger than ${MAX_CONFIG_LENGTH} bytes`),
      415: responseRef('KongMediaType'),
      503: responseRef('LogUnavailable'),
    },
  },
};

const UNIT = queryParameter(
  'unit',
  { ...string, enum: ['b', 'k', 'K', 'm', 'M', 'g', 'G'], default: 'm' },
  'Of sizes.',
);
const SCALE = queryParameter('scale', { type: 'integer', default: 2 }, 'Digits after the point.');
const listOf = (items: Json): Json => ({
  type: 'object',
  properties: { data: { type: 'array', items } },
  required: ['data'],
});

const node: Operations = {
  'GET /': {
    tag: 'node',
    summary: 'What this node is',
    responses: { 200: answer('As Kong tells it.', schemaRef('Node')) },
  },
  'GET /status': {
    tag: 'node',
    summary: 'How this node does, and which configuration it has',
    parameters: [UNIT, SCALE],
    responses: {
      200: answer('As Kong tells it.', schemaRef('NodeStatus')),
      400: message('Another unit.', "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')"),
    },
  },
  'GET /metrics': {
    tag: 'node',
    summary: 'Metrics of this registry and of every edge, for Prometheus',
    responses: {
      200: {
        description: 'By Accept.',
        content: {
          'text/plain': { schema: string },
          'application/openmetrics-text': { schema: string },
        },
      },
    },
  },
  'GET /endpoints': {
    tag: 'node',
    summary: 'Every path of this API',
    responses: {
      200: answer('In order.', listOf(string), { data: ['/', '/services', '/services/{services}'] }),
    },
  },
  'GET /plugins/enabled': {
    tag: 'node',
    summary: 'Which plugins there are',
    responses: {
      200: answer(
        'Their names.',
        {
          type: 'object',
          properties: { enabled_plugins: { type: 'array', items: string } },
          required: ['enabled_plugins'],
        },
        { enabled_plugins: ['jwt', 'rate-limiting'] },
      ),
    },
  },
  'GET /timers': {
    tag: 'node',
    summary: 'Kong’s timers; there are none',
    responses: { 200: answer('Zeros.', object) },
  },
  'GET /status/dns': {
    tag: 'node',
    summary: 'Not available: the edges look names up',
    responses: { 501: message('Always.', 'not implemented with the legacy DNS client') },
  },
};

const CONTROL_PLANE =
  'this endpoint is only available when Kong is configured to run as Control Plane for the cluster';
const clustering = (path: string): Operations => ({
  [`GET /clustering/${path}`]: {
    tag: 'node',
    summary: 'Not available: this is no control plane of Kong’s',
    responses: { 400: message('Always.', CONTROL_PLANE) },
  },
});

const LEVEL_ERRORS = {
  400: message('No such level.', 'unknown log level: loud'),
  405: message('ADMIN_WRITES is off.', 'cannot change log level when not using a database'),
};
const changed = {
  200: answer('It is set.', schemaRef('KongMessage'), { message: 'log level changed' }),
  ...LEVEL_ERRORS,
};
const logLevels: Operations = {
  'GET /debug/node/log-level': {
    tag: 'node',
    summary: 'The level this registry logs at',
    responses: { 200: answer('In words.', schemaRef('KongMessage'), { message: 'log level: info' }) },
  },
  'PUT /debug/node/log-level/:log_level': {
    tag: 'node',
    summary: 'Set the level of this registry',
    responses: changed,
  },
  'PUT /debug/cluster/log-level/:log_level': {
    tag: 'node',
    summary: 'Set the level of this registry and of every edge',
    responses: changed,
  },
};

const ofName = (what: string): Operation => ({
  tag: 'schemas',
  summary: `The schema of ${what}, in Kong’s form`,
  responses: {
    200: answer('Every field is an object of one key in a list.', schemaRef('KongSchema')),
    404: message('There is none of that name.', `No ${what.replace(/^\w+ (kind of )?/, '')} named 'x'`),
  },
});
const validate = (what: string): Operation => ({
  tag: 'schemas',
  summary: `Say whether ${what} could be written; nothing is`,
  requestBody: jsonBody(object),
  responses: {
    200: answer('It could.', schemaRef('KongMessage'), { message: 'schema validation successful' }),
    400: responseRef('KongBadRequest'),
    415: responseRef('KongMediaType'),
  },
});
const schemas: Operations = {
  'GET /schemas/:name': ofName('a kind of entity'),
  'GET /schemas/plugins/:name': ofName('a plugin'),
  'GET /plugins/schema/:name': ofName('a plugin'),
  'GET /schemas/vaults/:name': ofName('a vault'),
  'POST /schemas/:name/validate': {
    ...validate('an entity'),
    responses: { ...validate('an entity').responses, ...MISSING },
  },
  'POST /schemas/plugins/validate': validate('a plugin'),
  'POST /schemas/vaults/validate': validate('a vault'),
};

const PAGED = [{ $ref: '#/components/parameters/size' }, { $ref: '#/components/parameters/offset' }];
const tagged: Json = {
  ...listOf({ type: 'object', properties: { tag: string, entity_name: string, entity_id: string } }),
};
const tags: Operations = {
  'GET /tags': {
    tag: 'tags',
    summary: 'List tags with the entities that have them',
    parameters: PAGED,
    responses: { 200: answer('One page.', tagged), 400: responseRef('KongBadRequest') },
  },
  'GET /tags/:tags': {
    tag: 'tags',
    summary: 'List the entities that have a tag',
    parameters: PAGED,
    responses: { 200: answer('One page.', tagged), 400: responseRef('KongBadRequest') },
  },
};

const mark = (health: string): Operation => ({
  tag: 'upstreams',
  summary: `Mark a target, or one of its addresses, ${health}`,
  description: 'X-Sluice-Acknowledged says how many edges have done it.',
  responses: {
    204: empty('It is marked.'),
    400: message('It is not checked, or nobody knows the address.', 'no healthchecker found for agents'),
    ...MISSING,
  },
});
const health: Operations = {
  'GET /upstreams/:key/health': {
    tag: 'upstreams',
    summary: 'The health of targets as the edges see it: the worst that one of them says',
    parameters: [
      queryParameter('balancer_health', { type: 'string', const: '1' }, 'Of the upstream as a whole.'),
    ],
    responses: { 200: answer('As Kong tells it.', schemaRef('UpstreamHealth')), ...MISSING },
  },
  ...Object.fromEntries(
    ['/upstreams/:key/targets/:child', '/upstreams/:key/targets/:child/:address'].flatMap((path) =>
      ['healthy', 'unhealthy'].map((word) => [`PUT ${path}/${word}`, mark(word)]),
    ),
  ),
};

const cached = { 200: answer('The newest that an edge keeps.', object), ...MISSING };
const GONE = { 204: empty('No edge keeps it any more.') };
const readCached = { tag: 'cache', summary: 'Read an answer that the edges keep', responses: cached };
const dropCached = { tag: 'cache', summary: 'Drop an answer on every edge' };
const clear = { tag: 'cache', summary: 'Drop every answer on every edge', responses: GONE };
const caches: Operations = {
  'DELETE /cache': clear,
  'GET /cache/:key': readCached,
  'DELETE /cache/:key': { ...dropCached, responses: GONE },
  'DELETE /proxy-cache': clear,
  'GET /proxy-cache/:cache_key': readCached,
  'DELETE /proxy-cache/:cache_key': { ...dropCached, responses: { ...GONE, ...MISSING } },
  'GET /proxy-cache/:plugin_id/caches/:cache_key': readCached,
  'DELETE /proxy-cache/:plugin_id/caches/:cache_key': { ...dropCached, responses: { ...GONE, ...MISSING } },
};

const noFilters: Operation = {
  tag: 'node',
  summary: 'Not available: filters of WebAssembly are not run',
  responses: { 400: message('Always.', 'this endpoint is only available when wasm is enabled') },
};
const filters = (): Operations =>
  Object.fromEntries(
    ['', '/services/:key', '/routes/:key'].flatMap((owner) =>
      ['/filter-chains', '/filter-chains/:filter_chains'].flatMap((path) =>
        ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [`${method} ${owner}${path}`, noFilters]),
      ),
    ),
  );

/** Kong's endpoints that are no entities. */
export const kongOperations = (): Operations => ({
  ...config,
  ...node,
  ...clustering('data-planes'),
  ...clustering('status'),
  ...logLevels,
  ...schemas,
  ...tags,
  ...health,
  ...caches,
  ...filters(),
});
