import type { Position } from '@sluice/config-log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toldElsewhere } from '../audit/told.ts';
import type { Acknowledgement } from '../live-edges.ts';

const MAX_AUTHOR = 256;
const MAX_MESSAGE = 1000;

/** Who changes the configuration, why, and what they looked at before. */
export interface Authorship {
  readonly author: string;
  readonly message: string | undefined;
  /** Of the connection: a header could say anything. */
  readonly sourceAddress: string | undefined;
  readonly expectedVersion: number | undefined;
}

/** Read from the request's `X-Sluice-` headers. */
export const authorship = ({ headers, ip }: FastifyRequest): Authorship => {
  const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value);
  const expected = /^r(\d+)$/.exec(text(headers['x-sluice-expected-generation']) ?? '')?.[1];
  return {
    expectedVersion: expected === undefined ? undefined : Number(expected),
    author: decoded(text(headers['x-sluice-author']))?.slice(0, MAX_AUTHOR) || 'admin-api',
    sourceAddress: ip,
    message: decoded(text(headers['x-sluice-message']))?.slice(0, MAX_MESSAGE),
  };
};

/** Headers are ASCII, so other letters come percent-encoded; what is not encoded well is taken as it stands. */
const decoded = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  try {
    return decodeURI(text).replaceAll(/\p{Cc}/gu, ' ');
  } catch {
    return text;
  }
};

/** Header values hold printable ASCII only. */
const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_MESSAGE);

/** Names the version that is in force and how many edges have it. */
export const sayWhere = (
  reply: FastifyReply,
  changed: { at: Position; acknowledged: Acknowledgement; outcome: 'committed' | 'unchanged' },
): void => {
  const { at, acknowledged, outcome } = changed;
  if (outcome === 'committed') toldElsewhere(reply);
  const refusals = Object.entries(acknowledged.refusals).map(([name, why]) => `${name}: ${why}`);
  reply
    .header('x-sluice-generation', `r${at.version}`)
    .header('x-sluice-acknowledged', `${acknowledged.applied}/${acknowledged.live}`);
  if (refusals.length > 0) reply.header('x-sluice-refused', headerText(refusals.join('; ')));
};

/** The author looked at an older version. */
export const sayStale = (reply: FastifyReply, at: Position): FastifyReply => {
  const generation = `r${at.version}`;
  const message = `The configuration is at ${generation} now; look at it and apply your change to that.`;
  return reply.code(409).header('x-sluice-generation', generation).send({ message, generation });
};
