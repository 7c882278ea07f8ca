import { createHash } from 'node:crypto';
import { type ConfigInput, isRecord, toDeclarativeYaml } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Applied, applyConfig } from '../apply-config.ts';
import type { AdminParts } from './admin-api.ts';
import { authorship, sayStale, sayWhere } from './authorship.ts';
import { endpoint } from './endpoint.ts';
import { type Body, readBody } from './read-body.ts';

const OWN_ARGUMENTS = new Set(['check_hash', 'flatten_errors']);

/** The text that is in force, so that posting it again can be answered without reading it. */
interface ActiveText {
  readonly md5: string;
  readonly digest: string;
}

/** `POST /config` and `GET /config` (kong-compat 1.4). */
export const configRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  let active: ActiveText | undefined;
  endpoint(app, '/config', {
    GET: () => ({ config: toDeclarativeYaml(parts.follower.state) }),
    POST: async (request, reply) => {
      const query = request.query as Record<string, unknown>;
      const body = await readBody(request);
      if (body.kind === 'unsupported') return reply.code(415).send();
      if (body.kind === 'unreadable') return reply.code(400).send({ message: body.message });
      const input = inputOf(body, query);
      if (input === undefined)
        return reply.code(400).send({ message: 'expected a declarative configuration' });
      const md5 = 'text' in input ? createHash('md5').update(input.text).digest('hex') : undefined;
      const isActive =
        md5 !== undefined && active?.md5 === md5 && active.digest === parts.follower.state.digest;
      if (query.check_hash === '1' && isActive) return reply.code(304).send();

      const applied = await applyConfig(parts, { input, ...authorship(request) });
      if (applied.outcome === 'refused') {
        const flatten = ['1', 'true', 'on', 'yes'].includes(String(query.flatten_errors));
        return reply.code(400).send(applied.refusal.toBody({ flatten }));
      }
      if (applied.outcome === 'stale') return sayStale(reply, applied.at);
      active = md5 === undefined ? undefined : { md5, digest: applied.at.digest };
      return answerApplied(reply, applied);
    },
  });
};

/** The answer to a change of the whole configuration. */
export const answerApplied = (
  reply: FastifyReply,
  applied: Extract<Applied, { outcome: 'committed' | 'unchanged' }>,
) => {
  const { warnings, flattened } = applied;
  sayWhere(reply, applied);
  return reply
    .code(201)
    .header('x-sluice-warnings', `${warnings.length}`)
    .type('application/json; charset=utf-8')
    .send(flattened);
};

/** The configuration in a body; undefined when there is none. */
export const inputOf = (body: Body, query: Record<string, unknown>): ConfigInput | undefined => {
  if (body.kind === 'yaml') return textInput(body.text);
  if (body.kind === 'form') return textInput(new Map(body.entries).get('config'));
  if (body.kind !== 'json' || !isRecord(body.value)) return undefined;
  const document = body.value;
  if (!Object.hasOwn(document, '_format_version')) return textInput(document.config);
  // Kong reads arguments and body as one, so an unknown argument is an unknown field.
  const others = Object.entries(query).filter(([name]) => !OWN_ARGUMENTS.has(name));
  return { document: others.length === 0 ? document : { ...Object.fromEntries(others), ...document } };
};

const textInput = (text: unknown): ConfigInput | undefined =>
  typeof text === 'string' && text !== '' ? { text } : undefined;
