import type { Json } from './operation.ts';

const string: Json = { type: 'string' };
const integer: Json = { type: 'integer' };
const object = (properties: Json, required = Object.keys(properties)): Json => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const strings: Json = { type: 'array', items: string };

/** What Kong's endpoints answer, beside entities. */
export const kongAnswers: Readonly<Record<string, Json>> = {
  KongMessage: object({ message: string }),
  KongError: {
    description: 'The form of Kong’s errors; code and fields where there is something to name.',
    ...object(
      {
        message: string,
        code: {
          ...integer,
          description: '2: against the schema; 3: id taken; 4, 13: reference; 5: not unique; 6: absent.',
        },
        name: string,
        fields: { type: 'object', description: 'What is wrong, by field.' },
        options: { type: 'object', description: 'What is wrong, by argument of the query.' },
      },
      ['message'],
    ),
  },
  ConfigRefused: object(
    {
      ...{ code: { const: 14 }, name: string, message: string, fields: { type: 'object' } },
      flattened_errors: { type: 'array', items: { type: 'object' } },
    },
    ['message'],
  ),
  Stale: object({ message: string, generation: string }),
  Node: object({
    ...{
      tagline: string,
      version: string,
      edition: string,
      hostname: string,
      node_id: string,
      lua_version: string,
    },
    plugins: object({ available_on_server: { type: 'object' }, enabled_in_cluster: strings }),
    configuration: object({ database: string, router_flavor: string }),
  }),
  NodeStatus: object(
    {
      memory: { type: 'object' },
      server: { type: 'object', additionalProperties: integer },
      database: object({ reachable: { type: 'boolean' } }),
      configuration_hash: { ...string, pattern: '^[0-9a-f]{32}$' },
      generation: { ...string, description: 'Such as r12.' },
    },
    ['memory', 'server', 'configuration_hash'],
  ),
  KongSchema: object(
    {
      entity_checks: { type: 'array' },
      fields: { type: 'array', items: { type: 'object', minProperties: 1, maxProperties: 1 } },
    },
    ['fields'],
  ),
  UpstreamHealth: object({
    data: {
      anyOf: [
        { type: 'array', items: { $ref: '#/components/schemas/TargetHealth' } },
        object({ health: string, balancer_health: string, id: string, details: { type: 'object' } }),
      ],
    },
    ...{ next: { type: 'null' }, node_id: string },
  }),
  TargetHealth: object(
    {
      ...{ id: string, target: string, weight: integer },
      health: { enum: ['HEALTHY', 'UNHEALTHY', 'HEALTHCHECKS_OFF', 'DNS_ERROR'] },
      data: { type: 'object', description: 'Addresses and weights.' },
    },
    ['id', 'target', 'weight', 'health', 'data'],
  ),
};
