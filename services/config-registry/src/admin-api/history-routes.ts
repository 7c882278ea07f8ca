import { GenerationGone, type HistoryEntry } from '@sluice/config-log';
import { toDeclarativeYaml } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GenerationUnknown } from '../history/generations.ts';
import { rollBack } from '../roll-back.ts';
import type { AdminParts } from './admin-api.ts';
import { authorship } from './authorship.ts';
import { diffDocument } from './compare-document.ts';
import { answerApplied } from './config-routes.ts';
import { endpoint } from './endpoint.ts';
import { invalid, notValid, refuse } from './own-refusal.ts';
import { readBody } from './read-body.ts';

const MAX_MESSAGE = 1000;

/** `12` or `r12`. */
const Version = z
  .union([z.int(), z.string().regex(/^r?\d{1,15}$/, 'give a version such as r12')])
  .transform((version) => Number(`${version}`.replace(/^r/, '')));
export const HistoryQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(20),
  before: Version.optional().describe('Only versions before this one.'),
});
export const DiffQuery = z.object({
  from: Version.describe('A version, such as r12.'),
  to: Version.optional().describe('Another; absent: the live one.'),
});
export const Rollback = z.object({
  version: Version.describe('What to bring back.'),
  message: z.string().max(MAX_MESSAGE).optional().describe('Why, for the history.'),
});

/** `/sluice/history`, `/sluice/diff`, `/sluice/rollback`: not Kong's, so errors have our own form. */
export const historyRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const { generations } = parts;
  const answering = (work: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) =>
    ofHistory(parts, work);
  endpoint(app, '/sluice/history', {
    GET: answering(async (request, reply) => {
      const asked = HistoryQuery.safeParse(request.query);
      if (!asked.success) return invalid(reply, asked.error);
      const { limit, before = generations.live + 1 } = asked.data;
      const entries = await generations.list({ before, limit });
      const last = entries.at(-1)?.commit.version ?? 1;
      const next = last > 1 ? `/sluice/history?before=${last}&limit=${limit}` : null;
      return { data: entries.map(shown), live: generations.live, next };
    }),
  });
  endpoint(app, '/sluice/history/:version', {
    GET: answering(async (request, reply) => {
      const version = Version.safeParse((request.params as { version: string }).version);
      if (!version.success) return invalid(reply, version.error, 'version');
      const { entry, changed } = await generations.show(version.data);
      return { ...shown(entry), ...changed };
    }),
  });
  endpoint(app, '/sluice/history/:version/config', {
    GET: answering(async (request, reply) => {
      const version = Version.safeParse((request.params as { version: string }).version);
      if (!version.success) return invalid(reply, version.error, 'version');
      const state = await generations.stateAt(version.data);
      return { version: version.data, config: censoredText(version.data, state) };
    }),
  });
  endpoint(app, '/sluice/diff', {
    GET: answering(async (request, reply) => {
      const asked = DiffQuery.safeParse(request.query);
      if (!asked.success) return invalid(reply, asked.error);
      const { from, to = generations.live } = asked.data;
      return { from, to, ...(await generations.between(from, to)) };
    }),
    POST: answering((request, reply) => diffDocument(parts, request, reply)),
  });
  endpoint(app, '/sluice/rollback', {
    POST: answering((request, reply) => bringBack(parts, request, reply)),
  });
};

const censoredText = (version: number, state: Parameters<typeof toDeclarativeYaml>[0]): string =>
  `# r${version}, for reading: secrets are [redacted]. Bring it back with sluice rollback ${version}, not with apply.\n${toDeclarativeYaml(state, { isCensored: true })}`;

const bringBack = async (parts: AdminParts, request: FastifyRequest, reply: FastifyReply) => {
  const body = await readBody(request);
  if (body.kind !== 'json')
    return refuse(reply, 400, {
      code: 'invalid_request',
      message: 'send a JSON object with version, and content-type application/json',
    });
  const asked = Rollback.safeParse(body.value);
  if (!asked.success) return invalid(reply, asked.error);
  const { version, message } = asked.data;
  if (version < 1) throw new GenerationUnknown('versions begin with r1');
  const state = await parts.generations.stateAt(version);
  const by = authorship(request);
  const applied = await rollBack(parts, { ...by, message: message ?? by.message, version, state });
  if (applied.outcome === 'refused')
    return notValid(reply, 409, `r${version} is no valid configuration any more`, applied.refusal);
  if (applied.outcome === 'stale') {
    const generation = `r${applied.at.version}`;
    return refuse(reply.header('x-sluice-generation', generation), 409, {
      code: 'generation_stale',
      message: `The configuration is at ${generation} now; look at it before you roll back.`,
      details: { generation },
    });
  }
  return answerApplied(reply, applied);
};

const shown = ({ commit, occurredAt, actor }: HistoryEntry) => ({
  version: commit.version,
  time: occurredAt,
  author: actor,
  message: commit.message ?? null,
  rollbackOf: commit.rollbackOf ?? null,
  /** Null in commits of releases that did not count. */
  counts: commit.counts ?? null,
  digest: commit.digest,
});

type Work = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Names what cannot be answered. */
const ofHistory =
  ({ bus, generations, logger }: AdminParts, work: Work): Work =>
  async (request, reply) => {
    if (!bus.isConnected) return unavailable(reply, 'the bus is not connected');
    try {
      return await work(request, reply);
    } catch (error) {
      if (error instanceof GenerationUnknown)
        return refuse(reply, 404, { code: 'generation_unknown', message: messageOf(error) });
      if (error instanceof GenerationGone)
        return refuse(reply, 410, {
          code: 'generation_gone',
          message: `That version cannot be rebuilt any more: ${messageOf(error)}. HISTORY_GENERATIONS and HISTORY_MAX_MIB say how many are kept.`,
          details: { live: generations.live },
        });
      logger.error({ err: error }, 'history not readable, or configuration log not writable');
      return unavailable(reply, messageOf(error));
    }
  };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown failure');

const unavailable = (reply: FastifyReply, why: string) =>
  refuse(reply.header('retry-after', '1'), 503, {
    code: 'history_unavailable',
    message: `The configuration log cannot be read or written now (${why}); the live configuration is unchanged as far as known. Look at GET /sluice/history before you try again.`,
  });
