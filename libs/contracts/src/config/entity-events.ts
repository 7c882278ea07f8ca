import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';
import { entity, kindNames } from './entity.ts';

const ENTITIES = ['route', 'service', 'upstream', 'plugin', 'consumer', 'policy', 'key'] as const;
export type EventEntity = (typeof ENTITIES)[number];

const entityEvent = (name: EventEntity) =>
  event({
    subject: `config.${name}.{action}`,
    summary: `A ${name} was created, updated or deleted; \`{action}\` says which. Derived from the log, at least once.`,
    owner: 'config-registry',
    readers: ['anyone'],
    stream: 'CONFIG_EVENTS',
    payload: envelopeOf(
      z.object({
        epoch: z.string(),
        version: z.int().positive(),
        /** Position inside the commit, counted from 0, and how many it has. */
        index: z.int().nonnegative(),
        of: z.int().positive(),
        collection: z.enum(kindNames),
        id: z.string(),
        entity: entity.nullable(),
      }),
    ),
    examples: [
      {
        name: 'created',
        payload: {
          eventId: '9f8e7d6c:2:0',
          occurredAt: '2026-01-02T03:04:05.000Z',
          tenantId: '*',
          actor: 'admin-api',
          payload: {
            epoch: '9f8e7d6c',
            version: 2,
            index: 0,
            of: 1,
            collection: name === 'policy' ? 'acls' : name === 'key' ? 'jwt_secrets' : (`${name}s` as const),
            id: 'b3e43a63-98fb-550e-843a-6088b2e0e543',
            entity: { id: 'b3e43a63-98fb-550e-843a-6088b2e0e543' },
          },
        },
      },
    ],
  });

/** `config.route.created` and its like, for everybody but the gateway's own processes. */
export const entityEvents = Object.fromEntries(ENTITIES.map((name) => [name, entityEvent(name)])) as Record<
  EventEntity,
  ReturnType<typeof entityEvent>
>;
