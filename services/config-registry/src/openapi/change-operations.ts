import { exampleChanges, exampleReport } from '@sluice/contracts';
import { CanaryBody } from '../admin-api/canary-routes.ts';
import { DiffQuery, HistoryQuery, Rollback } from '../admin-api/history-routes.ts';
import { SimulateQuery } from '../admin-api/simulate-routes.ts';
import { CONFIG_BODY } from './config-body.ts';
import {
  AUTHOR,
  AWAY,
  CHANGE,
  error,
  INVALID,
  jsonBody,
  jsonSchemaOf,
  type Operations,
  queryOf,
  responseRef,
  told,
} from './operation.ts';

const history: Operations = {
  'GET /sluice/history': {
    tag: 'history',
    summary: 'List the versions of the configuration, the newest first',
    parameters: queryOf(HistoryQuery),
    responses: { 200: told('One page of versions.', 'HistoryPage'), ...INVALID, ...AWAY },
  },
  'GET /sluice/history/:version': {
    tag: 'history',
    summary: 'Show one version and what it changed',
    responses: {
      200: told('The version.', 'Generation'),
      ...INVALID,
      ...{ 404: error('There never was such a version.'), 410: error('It cannot be rebuilt any more.') },
      ...AWAY,
    },
  },
  'GET /sluice/history/:version/config': {
    tag: 'history',
    summary: 'Read the whole configuration of one version, without secrets',
    responses: {
      200: told('As YAML, for reading.', 'GenerationConfig'),
      ...INVALID,
      ...{ 404: error('There never was such a version.'), 410: error('It cannot be rebuilt any more.') },
      ...AWAY,
    },
  },
  'GET /sluice/diff': {
    tag: 'history',
    summary: 'Compare two versions',
    parameters: queryOf(DiffQuery),
    responses: {
      200: told('What leads from one to the other.', 'Difference', { from: 11, to: 12, ...exampleChanges }),
      ...INVALID,
      ...{ 404: error('There never was such a version.'), 410: error('It cannot be rebuilt any more.') },
      ...AWAY,
    },
  },
  'POST /sluice/diff': {
    tag: 'history',
    summary: 'Compare a configuration with the live one; nothing is applied',
    requestBody: CONFIG_BODY,
    responses: {
      200: told('What applying it would change.', 'Difference'),
      400: error('It is no valid configuration: error.details.problems says where and why.'),
      ...AWAY,
    },
  },
  'POST /sluice/check': {
    tag: 'history',
    summary: 'The same for an editor: problems with their places, or what would change',
    requestBody: { required: true, content: { 'application/yaml': { schema: { type: 'string' } } } },
    responses: {
      200: told('Also of what is no valid configuration.', 'CheckedConfig'),
      415: error('It is not application/yaml.'),
    },
  },
  'POST /sluice/rollback': {
    tag: 'history',
    summary: 'Bring an earlier version back as a new one',
    parameters: CHANGE,
    requestBody: jsonBody(jsonSchemaOf(Rollback), { version: 'r11', message: 'the new limit was too low' }),
    responses: {
      201: responseRef('ConfigApplied'),
      ...INVALID,
      404: error('There never was such a version.'),
      409: error('Another version went live meanwhile, or that one is not valid any more.'),
      410: error('It cannot be rebuilt any more.'),
      ...AWAY,
    },
  },
};

const rehearsal: Operations = {
  'POST /sluice/simulate': {
    tag: 'rehearsal',
    summary: 'Tell which of the latest requests a configuration would treat otherwise',
    description: 'From the decision records of the edges; nothing is applied.',
    parameters: queryOf(SimulateQuery),
    requestBody: CONFIG_BODY,
    responses: {
      200: told('By tenant.', 'SimulationReport', exampleReport),
      400: error('It is no valid configuration, or the query is wrong.'),
      409: error('Another simulation is running in this registry.'),
    },
  },
  'GET /sluice/canary': {
    tag: 'rehearsal',
    summary: 'Show the candidate that some edges try',
    responses: { 200: told('The one that runs, or the last one.', 'Canary', { canary: null }) },
  },
  'POST /sluice/canary': {
    tag: 'rehearsal',
    summary: 'Let some edges try a configuration, and make it live or drop it by what they tell',
    parameters: AUTHOR,
    requestBody: jsonBody(jsonSchemaOf(CanaryBody), {
      ...{ config: '_format_version: "3.0"\n', share: 0.25, forSeconds: 60, message: 'a lower limit' },
    }),
    responses: {
      202: told('It has begun.', 'Canary'),
      400: error('It is no valid configuration, or the body is wrong.'),
      409: error('It cannot be tried: one runs already, nothing differs, or there is one edge only.'),
      ...AWAY,
    },
  },
  'POST /sluice/canary/promote': {
    tag: 'rehearsal',
    summary: 'Make the candidate live before its time is over',
    parameters: AUTHOR,
    responses: {
      200: told('It is live, or why it is not.', 'Canary'),
      404: error('None is tried now.'),
      409: error('Not all of its edges serve it yet.'),
      ...AWAY,
    },
  },
  'DELETE /sluice/canary': {
    tag: 'rehearsal',
    summary: 'End the trial: every edge serves the live configuration again',
    parameters: AUTHOR,
    responses: { 200: told('It has ended.', 'Canary'), 404: error('None is tried now.') },
  },
};

/** Versions of the configuration, and how one is rehearsed. */
export const changeOperations = (): Operations => ({ ...history, ...rehearsal });
