import {
  configChanges,
  decisionRecord,
  edgeShadow,
  edgeTraffic,
  quotaList,
  simulationReport,
} from '@sluice/contracts';
import { z } from 'zod';
import { ROLES } from '../admin-access/admin-tokens.ts';

// What our own endpoints answer. Their tests hold every answer against these.
const count = z.int().nonnegative();
const time = z.iso.datetime();
const counts = configChanges.shape.counts;

export const ownError = z
  .object({
    error: z.object({
      code: z.string().describe('A word for programs, such as invalid_request.'),
      message: z.string().describe('What is wrong and what to do, for people.'),
      details: z.record(z.string(), z.unknown()),
    }),
  })
  .describe('The form of errors where Kong has none.');

export const problem = z.object({
  path: z.string().describe('Such as routes[3].paths[0]; empty for the document as a whole.'),
  file: z.string().optional(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: z.string(),
  suggestion: z.string().optional().describe('The name that was probably meant.'),
});

export const generation = z.object({
  version: count,
  time,
  author: z.string(),
  message: z.string().nullable(),
  rollbackOf: count.nullable(),
  counts: counts.nullable().describe('Null: made by a release that did not count.'),
  digest: z.string(),
});
export const historyPage = z.object({
  data: z.array(generation).describe('The newest first.'),
  live: count,
  next: z.string().nullable(),
});
export const generationShown = generation.extend(configChanges.shape);
export const generationConfig = z.object({
  version: count,
  config: z.string().describe('YAML; secrets are [redacted].'),
});
export const difference = configChanges.extend({
  from: count,
  to: count.nullable().describe('Null: the document that was sent.'),
  warnings: z.array(z.string()).optional(),
});
export const checked = configChanges.partial().extend({
  valid: z.boolean(),
  version: count.describe('What it was compared with.'),
  problems: z.array(problem),
  warnings: z.array(z.string()),
});

const side = z.object({ edges: count, requests: count, refused: count, failed: count, p99Us: z.number() });
export const canaryShown = z.object({
  canary: z
    .object({
      id: z.string(),
      base: count,
      edges: z.array(z.string()),
      author: z.string(),
      startedAt: time,
      endsAt: time,
      phase: z.enum(['starting', 'running', 'promoted', 'rolled-back']),
      reason: z.string().nullable(),
      version: count.nullable().describe('Of the commit that made it live.'),
      candidate: side.nullable(),
      others: side.nullable(),
    })
    .nullable()
    .describe('The one that runs, or the last one of this registry.'),
});

const edges = z.object({ live: count, answered: count });
export const explanation = z.object({
  requestId: z.string(),
  headline: z.string().describe('One sentence.'),
  cause: z.string().describe('A short word, such as rate_limit or token_expired.'),
  decidedBy: z.object({
    kind: z.enum(['plugin', 'gateway', 'upstream']),
    name: z.string(),
    id: z.string().optional().describe('Of the plugin entity.'),
  }),
  number: z
    .object({ name: z.string(), value: z.number(), limit: z.number().optional() })
    .optional()
    .describe('The figure that decided.'),
  because: z.array(z.string()),
  change: z.array(z.string()).describe('What to do so that it ends otherwise.'),
  waterfall: z.array(z.object({ name: z.string(), fromUs: z.number(), us: z.number() })),
  record: decisionRecord,
});
export const decisionPage = z.object({
  data: z.array(decisionRecord).describe('The oldest first.'),
  missed: count.describe('How many were forgotten before somebody asked.'),
  edges,
  next: z.string().describe('To go on from here: give it as after.'),
});
export const trafficTold = z.object({
  data: z.array(edgeTraffic.reply).describe('One of each edge.'),
  edges,
});

export const shadowTold = z.object({ data: z.array(edgeShadow.reply).describe('One of each edge.'), edges });

const follower = z.object({
  instance: z.string(),
  process: z.string(),
  epoch: z.string(),
  version: count,
  digest: z.string(),
  refusal: z.string().optional().describe('Why it refused the latest version.'),
  candidate: z.string().optional().describe('What it serves in the place of the log’s state.'),
});
export const fleet = z.object({
  configuration: z.object({ epoch: z.string(), version: count, digest: z.string() }),
  processes: z.array(follower),
});

const rates = z.object({
  name: z.string(),
  ...{ perSecond: z.number(), refusedPerSecond: z.number(), failedPerSecond: z.number() },
  ...{ p50Ms: z.number(), p99Ms: z.number() },
});
/** One event of the live view. */
export const liveView = z.object({
  at: z.number().describe('Unix ms.'),
  windowMs: count,
  configuration: z.object({ epoch: z.string(), version: count }),
  edges,
  total: rates,
  limitedPerSecond: z.number(),
  tenants: z.array(rates),
  routes: z.array(rates),
  refusals: z.array(z.object({ code: z.string(), status: z.int(), perSecond: z.number() })),
  processes: z.array(follower),
  dependencies: z.array(z.object({ name: z.string(), isWell: z.boolean(), says: z.string() })),
});

const attributes = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const traceSummary = z.object({
  ...{ traceId: z.string(), name: z.string(), service: z.string() },
  at: z.number().describe('Unix ms.'),
  ...{ us: z.number(), spans: count, isFailed: z.boolean() },
});
export const tracePage = z.object({ data: z.array(traceSummary).describe('The newest first.') });
export const trace = traceSummary.extend({
  leftOut: count,
  bars: z.array(
    z.object({
      ...{ depth: count, service: z.string(), name: z.string(), fromUs: z.number(), us: z.number() },
      failure: z.string().optional(),
      attributes,
      events: z.array(z.object({ name: z.string(), atUs: z.number(), attributes })),
      links: z.array(z.string()).describe('Traces of others that it worked for, too.'),
    }),
  ),
});

const confirmed = z.object({ live: count, confirmed: count });
const confirmation = z
  .object({ edges: confirmed, auth: confirmed, missing: z.array(z.string()) })
  .describe('Where it is in force, of the processes that are live.');
const revoked = z.object({
  by: z.string(),
  value: z.string(),
  issuer: z.string().optional(),
  reason: z.string().optional(),
  ...{ notBefore: time, revokedAt: time },
  revokedBy: z.string(),
});
export const revocationList = z.object({ data: z.array(revoked), total: count });
export const revocationMade = z.object({
  revocation: revoked,
  isNew: z.boolean().describe('False: it was in force already.'),
  confirmation,
});

const keyShown = z.object({
  ...{ id: z.string(), name: z.string(), tenant: z.string(), platform: z.string().nullable() },
  state: z.enum(['active', 'rotated', 'expired', 'revoked']),
  ...{ createdAt: time, createdBy: z.string() },
  ...{ expiresAt: time.nullable(), revokedAt: time.nullable() },
  successor: z.string().nullable(),
});
export const keyList = z.object({
  data: z.array(keyShown.extend({ lastUsedAt: time.nullable() })),
  total: count,
});
export const keyMade = z.object({ key: keyShown, text: z.string().describe('Shown this once.') });
export const keyRotated = keyMade.extend({ previous: keyShown });
export const keyRevoked = z.object({ key: keyShown, confirmation });

export const auditPage = z.object({
  data: z.array(
    z.object({
      ...{ sequence: count, time, actor: z.string().nullable(), action: z.string() },
      outcome: z.enum(['done', 'refused', 'failed']),
      ...{ address: z.string().nullable(), instance: z.string() },
      request: z.object({ method: z.string(), path: z.string(), status: z.int() }).nullable(),
      ...{ version: count.nullable(), message: z.string().nullable() },
      changes: z.array(z.object({ op: z.string(), kind: z.string(), id: z.string() })),
      changesLeftOut: count,
    }),
  ),
  next: z.string().nullable(),
});

const { tenants, ...told } = quotaList.reply.shape;
export const quotaPage = z.object({ data: tenants, ...told, next: z.string().nullable() });

export const guarded = z.object({
  attack: z.boolean(),
  score: z.number().describe('An attack from 1 on.'),
  sensitivity: z.enum(['balanced', 'strict']),
  hits: z.array(z.looseObject({ rule: z.string(), family: z.string() })).describe('Rules that fired.'),
});

export const session = z.object({
  name: z.string().nullable().describe('Null: the API is open.'),
  role: z.enum(ROLES),
  csrf: z.string().nullable().describe('For X-Sluice-Csrf; null: there is no session.'),
});

/** By the names they have in the document. */
export const NAMED: Readonly<Record<string, z.ZodType>> = {
  ...{ Error: ownError, ConfigProblem: problem, ConfigChanges: configChanges },
  ...{ HistoryPage: historyPage, Generation: generationShown, GenerationConfig: generationConfig },
  ...{ Difference: difference, CheckedConfig: checked, Canary: canaryShown },
  ...{ SimulationReport: simulationReport, DecisionRecord: decisionRecord, EdgeTraffic: edgeTraffic.reply },
  ...{
    Explanation: explanation,
    DecisionPage: decisionPage,
    Traffic: trafficTold,
    Shadow: shadowTold,
    Fleet: fleet,
  },
  ...{ LiveView: liveView, TracePage: tracePage, Trace: trace, AuditPage: auditPage, Session: session },
  ...{ RevocationList: revocationList, RevocationMade: revocationMade },
  ...{ QuotaPage: quotaPage, GuardVerdict: guarded },
  ...{ KeyList: keyList, KeyMade: keyMade, KeyRotated: keyRotated, KeyRevoked: keyRevoked },
};
