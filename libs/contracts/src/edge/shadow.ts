import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Most routes, and differences of all routes together, in one answer: what an edge says has to fit one message. */
export const MAX_SHADOW_ROUTES = 200;
export const MAX_SHADOW_EXAMPLES = 1000;

const count = z.int().nonnegative();
const counts = z.array(z.object({ name: z.string(), count }));

/**
 * One thing in which two answers differ. Nothing of what they say: a status, the name of a header, the sizes of
 * bodies in bytes.
 */
const difference = z.object({
  /** `status`, `header`, `body`. */
  kind: z.string(),
  name: z.string().optional(),
  /** Of this gateway's answer. */
  here: count.optional(),
  there: count.optional(),
});

const example = z.object({
  requestId: z.string(),
  /** Unix ms. */
  at: z.number(),
  method: z.string(),
  differences: z.array(difference),
});
export type ShadowDifference = z.output<typeof difference>;

const shadowRoute = z.object({
  /** Its name or id; empty: no route was found. */
  route: z.string(),
  /** Copies by what came of them: `equal`, `different`, or why there was no answer. */
  outcomes: counts,
  /** Requests that were not copied, by reason. */
  skipped: counts,
  /** Copies whose bodies were too large to be compared. */
  uncompared: count,
  /** The newest first. */
  examples: z.array(example),
});
export type ShadowRoute = z.output<typeof shadowRoute>;

/** Every edge tells what came of the copies that it sent for the plugin `shadow`. */
export const edgeShadow = requestReply({
  subject: 'edge.v1.shadow',
  summary: 'Collect from every edge how answers of a second gateway compare with its own.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  request: z.object({
    /** Of this route alone. */
    route: z.string().max(256).optional(),
    /** Differences to show of each route. */
    examples: z.int().min(0).max(20),
  }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** When it began to count, Unix ms. */
    since: z.number(),
    routes: z.array(shadowRoute),
  }),
  examples: [
    {
      name: 'one difference',
      request: { examples: 5 },
      reply: {
        instance: 'edge-proxy-4311',
        since: 1_767_323_000_000,
        routes: [
          {
            route: 'orders',
            outcomes: [
              { name: 'equal', count: 118 },
              { name: 'different', count: 1 },
              { name: 'timeout', count: 1 },
            ],
            skipped: [{ name: 'method', count: 12 }],
            uncompared: 0,
            examples: [
              {
                requestId: '4bf92f3577b34da6a3ce929d0e0e4736',
                at: 1_767_323_045_000,
                method: 'GET',
                differences: [
                  { kind: 'status', here: 200, there: 404 },
                  { kind: 'header', name: 'content-type' },
                  { kind: 'body', here: 812, there: 52 },
                ],
              },
            ],
          },
        ],
      },
    },
    {
      name: 'a route without copies',
      request: { route: 'agents', examples: 0 },
      reply: { instance: 'edge-proxy-4311', since: 1_767_323_000_000, routes: [] },
    },
  ],
});
