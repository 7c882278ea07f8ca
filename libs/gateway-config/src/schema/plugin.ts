import { entitySchema } from './entity.ts';
import { boolean, foreign, set, string } from './field.ts';
import { nameField, PROTOCOLS } from './typedefs.ts';

/** Fields of Kong Enterprise: accepted while they are null. */
const NULL_ONLY = ['ordering', 'consumer_group', 'partials'];

const dropEnterpriseNulls = (submitted: Readonly<Record<string, unknown>>) => {
  if (!NULL_ONLY.some((name) => submitted[name] === null)) return submitted;
  const rest = { ...submitted };
  for (const name of NULL_ONLY) if (rest[name] === null) delete rest[name];
  return rest;
};

/** kong-compat 2.5, plus our `mode`. `config` is checked by the plugin's own schema. */
export const pluginSchema = entitySchema({
  kind: 'plugins',
  endpointKey: 'instance_name',
  cacheKey: ['name', 'route', 'service', 'consumer'],
  prepare: dropEnterpriseNulls,
  fields: {
    name: string({ required: true }),
    instance_name: nameField(),
    config: { type: 'any' },
    route: foreign('routes'),
    service: foreign('services'),
    consumer: foreign('consumers'),
    protocols: set(string({ oneOf: PROTOCOLS }), { default: ['grpc', 'grpcs', 'http', 'https'] }),
    enabled: boolean(true),
    mode: string({ oneOf: ['enforce', 'shadow', 'off'] }),
  },
});
