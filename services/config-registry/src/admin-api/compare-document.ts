import type { ConfigChanges } from '@sluice/contracts';
import { type ConfigError, type ConfigInput, describeChanges, loadConfig } from '@sluice/gateway-config';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toldElsewhere } from '../audit/told.ts';
import type { AdminParts } from './admin-api.ts';
import { inputOf } from './config-routes.ts';
import { notValid, refuse } from './own-refusal.ts';
import { readBody } from './read-body.ts';

/** Entities in one answer: to a program, and to the editor of the console, where more nobody reads. */
const MAX_CHANGES = 1000;
const MAX_CHANGES_SEEN = 200;

/** What a document would say and change if it were applied; `version` is the one it is compared with. */
type Comparison = { readonly version: number } & (
  | { readonly ok: false; readonly refusal: ConfigError }
  | { readonly ok: true; readonly warnings: readonly string[]; readonly changed: ConfigChanges }
);

/** A document against the live configuration, read as `POST /config` reads it. */
const compareWithLive = (parts: AdminParts, input: ConfigInput, maxChanges: number): Comparison => {
  const { catalog, environment, follower } = parts;
  const { state: previous, position } = follower;
  const now = Math.floor(Date.now() / 1000);
  const loaded = loadConfig(input, catalog, { now, previous, environment });
  const { version } = position;
  if (!loaded.ok) return { version, ok: false, refusal: loaded.error };
  const changed = describeChanges(previous, loaded.state, maxChanges);
  return { version, ok: true, warnings: loaded.warnings, changed };
};

/** `POST /sluice/diff`: what differs, and 400 for a document that is none. It changes nothing, so the audit is not told. */
export const diffDocument = async (parts: AdminParts, request: FastifyRequest, reply: FastifyReply) => {
  toldElsewhere(reply);
  const body = await readBody(request);
  const input = inputOf(body, {});
  if (input === undefined)
    return refuse(reply, 400, {
      code: 'invalid_request',
      message: 'send a declarative configuration, as to POST /config',
    });
  const compared = compareWithLive(parts, input, MAX_CHANGES);
  if (!compared.ok) return notValid(reply, 400, 'The document is no valid configuration', compared.refusal);
  return { from: compared.version, to: null, warnings: compared.warnings, ...compared.changed };
};

/** `POST /sluice/check`: the same for an editor, which marks what is wrong: a document that is none is an answer, too. */
export const checkDocument = async (parts: AdminParts, request: FastifyRequest, reply: FastifyReply) => {
  toldElsewhere(reply);
  const body = await readBody(request);
  if (body.kind !== 'yaml')
    return refuse(reply, 415, {
      code: 'unsupported_media_type',
      message: 'Send the configuration as application/yaml.',
    });
  const compared = compareWithLive(parts, { text: body.text }, MAX_CHANGES_SEEN);
  const { version } = compared;
  return compared.ok
    ? { valid: true, version, problems: [], warnings: compared.warnings, ...compared.changed }
    : { valid: false, version, problems: compared.refusal.problems, warnings: [] };
};
