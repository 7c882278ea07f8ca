import type { Json } from './operation.ts';

const YAML = '_format_version: "3.0"\nservices:\n- name: agents\n  url: http://agents.test:8080\n';
const textOf: Json = { schema: { type: 'string' }, example: YAML };
const field: Json = {
  schema: { type: 'object', properties: { config: { type: 'string' } }, required: ['config'] },
};

/** A declarative configuration, in each form that `POST /config` takes. */
export const CONFIG_BODY: Json = {
  required: true,
  content: {
    'application/yaml': textOf,
    'text/yaml': textOf,
    'application/json': {
      schema: {
        anyOf: [
          {
            type: 'object',
            description: 'The configuration itself.',
            properties: { _format_version: { type: 'string', enum: ['1.1', '2.1', '3.0'] } },
            required: ['_format_version'],
          },
          field.schema,
        ],
      },
      example: { _format_version: '3.0', services: [{ name: 'agents', url: 'http://agents.test:8080' }] },
    },
    'application/x-www-form-urlencoded': field,
    'multipart/form-data': field,
  },
};
