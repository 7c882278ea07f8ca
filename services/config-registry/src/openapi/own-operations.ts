import { apiKeyRequest, apiKeyRotation, revocationRequest } from '@sluice/contracts';
import { AuditQuery } from '../admin-api/audit-routes.ts';
import { DecisionsQuery, ShadowQuery, TrafficQuery } from '../admin-api/explain-routes.ts';
import { GuardBody } from '../admin-api/guard-routes.ts';
import { QuotasQuery } from '../admin-api/quota-routes.ts';
import { TracesQuery } from '../admin-api/trace-routes.ts';
import { changeOperations } from './change-operations.ts';
import {
  AUTHOR,
  AWAY,
  answer,
  empty,
  error,
  INVALID,
  jsonBody,
  jsonSchemaOf,
  type Operations,
  queryOf,
  queryParameter,
  schemaRef,
  text,
  told,
} from './operation.ts';

const observe: Operations = {
  'GET /explain/:id': {
    tag: 'observe',
    summary: 'Explain what became of a request',
    description: 'By its request id, trace id or correlation id.',
    responses: {
      200: told('Who decided, by which figure, and how that is changed.', 'Explanation'),
      ...INVALID,
      404: error('Nobody remembers it.'),
      ...AWAY,
    },
  },
  'GET /decisions': {
    tag: 'observe',
    summary: 'List the latest requests that the edges remember',
    parameters: queryOf(DecisionsQuery),
    responses: { 200: told('The oldest first.', 'DecisionPage'), ...INVALID },
  },
  'GET /traffic': {
    tag: 'observe',
    summary: 'Sum up the latest requests of every edge',
    parameters: queryOf(TrafficQuery),
    responses: { 200: told('By tenant and route.', 'Traffic'), ...INVALID },
  },
  'GET /shadow': {
    tag: 'observe',
    summary: 'Tell how answers of a second gateway compare, by route',
    parameters: queryOf(ShadowQuery),
    responses: { 200: told('What every edge counted.', 'Shadow'), ...INVALID },
  },
  'GET /fleet': {
    tag: 'observe',
    summary: 'Show who follows the configuration and where each stands',
    responses: { 200: told('Processes heard in the last 3.5 s.', 'Fleet') },
  },
  'GET /sluice/live': {
    tag: 'observe',
    summary: 'Watch rates, refusals, tenants and dependencies, once a second',
    description: 'Server-sent events; the data of each is a LiveView. At most 64 may watch.',
    responses: {
      200: {
        description: 'Events until the connection ends.',
        content: {
          'text/event-stream': { schema: { type: 'string', contentSchema: schemaRef('LiveView') } },
        },
      },
      503: error('Too many watch already.'),
    },
  },
  'GET /traces': {
    tag: 'observe',
    summary: 'List the latest traces',
    parameters: queryOf(TracesQuery),
    responses: { 200: told('The newest first.', 'TracePage'), ...INVALID },
  },
  'GET /traces/:id': {
    tag: 'observe',
    summary: 'Show one trace as a waterfall, by its id or a request’s',
    responses: { 200: told('Its spans.', 'Trace'), ...INVALID, 404: error('It is not remembered.') },
  },
  'POST /v1/traces': {
    tag: 'observe',
    summary: 'Take spans, as an OTLP collector does',
    description: 'JSON only, gzip or plain.',
    requestBody: jsonBody({ type: 'object', description: 'An ExportTraceServiceRequest of OTLP.' }),
    responses: {
      200: answer('They are kept.', { type: 'object', properties: { partialSuccess: { type: 'object' } } }),
      ...INVALID,
      ...{ 413: error('The message is larger than 8 MiB.'), 415: error('It is not JSON.') },
    },
  },
  'GET /sluice/quotas': {
    tag: 'observe',
    summary: 'List how tenants stand with their quotas, the largest share first',
    parameters: queryOf(QuotasQuery),
    responses: { 200: told('One page of tenants.', 'QuotaPage'), ...INVALID, ...AWAY },
  },
  'GET /sluice/audit': {
    tag: 'observe',
    summary: 'List who did what, the newest first',
    parameters: queryOf(AuditQuery),
    responses: { 200: told('One page of records.', 'AuditPage'), ...INVALID, ...AWAY },
  },
};

const guard: Operations = {
  'POST /sluice/guard': {
    tag: 'rehearsal',
    summary: 'Judge a text as prompt-guard judges a message; it is not kept',
    requestBody: jsonBody(jsonSchemaOf(GuardBody), { text: 'What is the weather?' }),
    responses: { 200: told('The verdict, and the rules that fired.', 'GuardVerdict'), ...INVALID },
  },
};

const OFF = error('API_KEY_PEPPER is not set.');
const FULL = error('No more can be stored.');
const TENANT = queryParameter('tenant', { type: 'string' }, 'Only keys of this tenant.');
const credentials: Operations = {
  'GET /sluice/keys': {
    tag: 'credentials',
    summary: 'List API keys of tenants',
    parameters: [TENANT],
    responses: { 200: told('The first 1,000; never a key’s text.', 'KeyList'), 501: OFF, ...AWAY },
  },
  'POST /sluice/keys': {
    tag: 'credentials',
    summary: 'Create an API key of a tenant',
    parameters: AUTHOR,
    requestBody: jsonBody(jsonSchemaOf(apiKeyRequest), { tenant: 'tenant-123', name: 'billing export' }),
    responses: {
      201: told('The only answer with its text.', 'KeyMade'),
      ...INVALID,
      501: OFF,
      507: FULL,
      ...AWAY,
    },
  },
  'POST /sluice/keys/:id/rotate': {
    tag: 'credentials',
    summary: 'Create the successor of an API key; the old one is taken for a while',
    parameters: AUTHOR,
    requestBody: { ...jsonBody(jsonSchemaOf(apiKeyRotation), { graceSeconds: 3600 }), required: false },
    responses: {
      201: told('The new key with its text.', 'KeyRotated'),
      ...INVALID,
      ...{ 404: error('There is no such key.'), 409: error('It has ended, or was rotated before.') },
      ...{ 501: OFF, 507: FULL },
      ...AWAY,
    },
  },
  'DELETE /sluice/keys/:id': {
    tag: 'credentials',
    summary: 'Revoke an API key',
    parameters: AUTHOR,
    responses: {
      200: told('Refused from now on; says where that is in force.', 'KeyRevoked'),
      ...{ 404: error('There is no such key.'), 501: OFF, 507: FULL },
      ...AWAY,
    },
  },
  'GET /sluice/revocations': {
    tag: 'credentials',
    summary: 'List revoked tokens',
    responses: { 200: told('The first 1,000.', 'RevocationList'), ...AWAY },
  },
  'POST /sluice/revocations': {
    tag: 'credentials',
    summary: 'Refuse tokens although they verify',
    parameters: AUTHOR,
    requestBody: jsonBody(jsonSchemaOf(revocationRequest), {
      ...{ by: 'subject', value: 'user-456', reason: 'laptop stolen' },
    }),
    responses: {
      200: told('It was in force already.', 'RevocationMade'),
      201: told('In force from now on; says where.', 'RevocationMade'),
      ...INVALID,
      507: FULL,
      ...AWAY,
    },
  },
  'POST /sluice/login': {
    tag: 'credentials',
    summary: 'Begin a session by an admin token; the cookie is HttpOnly',
    role: 'none',
    requestBody: jsonBody(
      { type: 'object', properties: { token: { type: 'string' } }, required: ['token'] },
      { token: 'one of ADMIN_TOKENS' },
    ),
    responses: {
      200: told('Who it is.', 'Session', { name: 'olga', role: 'operator', csrf: 'for-x-sluice-csrf' }),
      ...{
        401: error('No such token.'),
        403: error('Another site’s page asked.'),
        429: error('Too many tries.'),
      },
    },
  },
  'GET /sluice/session': {
    tag: 'credentials',
    summary: 'Who am I',
    responses: { 200: told('Name and role.', 'Session') },
  },
  'DELETE /sluice/session': {
    tag: 'credentials',
    summary: 'Log out',
    role: 'viewer',
    responses: { 204: empty('The session is over.') },
  },
};

const html = { 200: text('The page.', 'text/html'), 503: error('The console is not built.') };
const pages: Operations = {
  'GET /console': { tag: 'pages', summary: 'The console', role: 'none', responses: html },
  'GET /console/assets/:file': {
    tag: 'pages',
    summary: 'A file of the console',
    role: 'none',
    responses: {
      200: { description: 'The file.', content: { '*/*': { schema: { type: 'string' } } } },
      ...{ 404: error('There is no such file.'), 503: error('The console is not built.') },
    },
  },
  'GET /openapi.json': {
    tag: 'pages',
    summary: 'This description',
    responses: { 200: answer('OpenAPI 3.1.', { type: 'object' }) },
  },
  'GET /sluice/api': {
    tag: 'pages',
    summary: 'This description as a page to read',
    responses: { 200: text('The page.', 'text/html') },
  },
};

/** Every endpoint that is not Kong's. */
export const ownOperations = (): Operations => ({
  ...changeOperations(),
  ...observe,
  ...guard,
  ...credentials,
  ...pages,
});
