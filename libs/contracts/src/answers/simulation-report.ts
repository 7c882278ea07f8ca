import { z } from 'zod';

const count = z.int().nonnegative();

/** What becomes of a request under a configuration. */
export const simulatedOutcome = z.object({
  route: z.string().optional().describe('Name or id; absent: none matches.'),
  verdict: z.enum(['forwarded', 'refused', 'answered']),
  plugin: z.string().optional().describe('Which plugin refuses or answers; absent: the gateway itself.'),
  code: z.string().optional().describe('As in docs/errors.md.'),
  status: z.int().optional().describe('Absent: the upstream’s, which nobody has heard.'),
  upstream: z.string().optional().describe('Where it is forwarded to.'),
});
export type SimulatedOutcome = z.output<typeof simulatedOutcome>;

/** A request that stands for others. */
export const simulatedExample = z.object({ requestId: z.string(), method: z.string(), path: z.string() });
export type SimulatedExample = z.output<typeof simulatedExample>;

const simulatedGroup = z.object({
  requests: count,
  now: simulatedOutcome,
  would: simulatedOutcome,
  examples: z.array(simulatedExample),
});
/** Requests of a tenant to which the same would happen. */
export type SimulatedGroup = z.output<typeof simulatedGroup>;

const simulatedDoubt = z.object({ requests: count, why: z.string(), examples: z.array(simulatedExample) });
/** Requests of a tenant of which it cannot be told what would happen. */
export type SimulatedDoubt = z.output<typeof simulatedDoubt>;

const simulatedTenant = z.object({
  tenant: z.string().describe('`-`: requests that named none.'),
  ...{ requests: count, changes: count, unknown: count },
  groups: z.array(simulatedGroup),
  doubts: z.array(simulatedDoubt),
});
/** What would become of the requests of one tenant. */
export type SimulatedTenant = z.output<typeof simulatedTenant>;

const simulatedRequest = simulatedExample.extend({
  tenant: z.string(),
  result: z.enum(['same', 'changes', 'unknown']),
  now: simulatedOutcome.optional(),
  would: simulatedOutcome.optional(),
  why: z.string().optional(),
});
/** One request with what would become of it. */
export type SimulatedRequest = z.output<typeof simulatedRequest>;

/** What a configuration would change, told from recorded requests: the answer of `POST /sluice/simulate`. */
export const simulationReport = z.object({
  base: z.string().describe('The version in force.'),
  entities: z.object({ put: count, deleted: count }),
  warnings: z.array(z.string()),
  records: z.object({
    since: z.iso.datetime(),
    wholeFrom: z.iso
      .datetime()
      .nullable()
      .describe('From when on every request was looked at; null: some are missing throughout.'),
    isCut: z.boolean().describe('There were more than may be looked at; the oldest are left out.'),
    edges: z.object({ live: count, answered: count }),
  }),
  ...{ requests: count, same: count, changes: count, unknown: count },
  tenants: z.array(simulatedTenant).describe('Those with most changes first.'),
  each: z.array(simulatedRequest).optional().describe('Every request, where each=1 asks for it.'),
});
export type SimulationReport = z.output<typeof simulationReport>;

const example = { requestId: '7f3c9a1be2d04c55a1b2c3d4e5f60718', method: 'GET', path: '/v1/workflows' };
const now: SimulatedOutcome = { route: 'agent-workflows', verdict: 'forwarded', upstream: 'agents.test:80' };
const would: SimulatedOutcome = {
  ...{ route: 'agent-workflows', verdict: 'refused', plugin: 'rate-limiting' },
  ...{ code: 'GW_RATE_LIMITED', status: 429 },
};

/** For the golden answers and the description of the Admin API. */
export const exampleReport: z.input<typeof simulationReport> = {
  base: 'r12',
  entities: { put: 1, deleted: 0 },
  warnings: [],
  records: {
    since: '2026-01-02T03:04:05.000Z',
    wholeFrom: '2026-01-02T03:06:00.000Z',
    isCut: false,
    edges: { live: 2, answered: 2 },
  },
  ...{ requests: 121, same: 100, changes: 20, unknown: 1 },
  tenants: [
    {
      ...{ tenant: 'tenant-123', requests: 121, changes: 20, unknown: 1 },
      groups: [{ requests: 20, now, would, examples: [example] }],
      doubts: [{ requests: 1, why: 'its body was not recorded', examples: [example] }],
    },
  ],
  each: [{ ...example, tenant: 'tenant-123', result: 'changes', now, would }],
};
