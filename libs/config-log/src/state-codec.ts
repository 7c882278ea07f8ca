import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConfigOp, type Kind, kindNames } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { z } from 'zod';
import type { Position, Replica } from './position.ts';

/**
 * A state as text, the form of snapshots and of the last-known-good file: a header line, one line per entity,
 * and the SHA-256 of all that. Lines, not one document: they are written and read a few hundred at a time, so
 * that a process that serves traffic is never held up by its own configuration.
 */
const LINES_PER_TURN = 200; // about 2 ms of work
const LINE_FEED = 10;

const header = z.object({
  format: z.literal(1),
  epoch: z.string(),
  version: z.int().nonnegative(),
  seq: z.int().nonnegative(),
  digest: z.string(),
  entities: z.int().nonnegative(),
});
const trailer = z.object({ sha256: z.string() });
const KINDS: ReadonlySet<unknown> = new Set(kindNames);

/** Text that is not a whole, undamaged state; the message says why. */
export class DamagedState extends Error {}

/**
 * Serialises a state. The entities are taken at once, so the state may change while this runs.
 * @throws DamagedState when the position's digest is not the state's.
 */
export const encodeState = async (state: ConfigState, position: Position): Promise<Buffer> => {
  if (state.digest !== position.digest) throw new DamagedState('the state is not the one the position names');
  const entities: [Kind, unknown][] = [];
  for (const kind of kindNames) for (const entity of state.list(kind)) entities.push([kind, entity]);
  const { epoch, version, seq, digest } = position;
  const parts = [
    `${JSON.stringify({ format: 1, epoch, version, seq, digest, entities: entities.length })}\n`,
  ];
  for (let at = 0; at < entities.length; at += LINES_PER_TURN) {
    const lines = entities.slice(at, at + LINES_PER_TURN).map((entity) => JSON.stringify(entity));
    parts.push(`${lines.join('\n')}\n`);
    await turn();
  }
  const body = Buffer.from(parts.join(''));
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.concat([body, Buffer.from(`${JSON.stringify({ sha256 })}\n`)]);
};

/**
 * Reads what `encodeState` wrote and checks it twice: the text by its hash, the state by its digest.
 * @throws DamagedState
 */
export const decodeState = async (text: Buffer): Promise<Replica> => {
  const body = checkedBody(text);
  const firstEnd = body.indexOf(LINE_FEED);
  const head = parsed(header, body.subarray(0, firstEnd), 'header');
  const state = new ConfigState();
  let count = 0;
  let start = firstEnd + 1;
  while (start < body.length) {
    const end = body.indexOf(LINE_FEED, start);
    state.apply([putOf(body.toString('utf8', start, end), count)]);
    start = end + 1;
    count += 1;
    if (count % LINES_PER_TURN === 0) await turn();
  }
  if (count !== head.entities) throw new DamagedState(`${count} entities instead of ${head.entities}`);
  if (state.digest !== head.digest) throw new DamagedState('the digest does not match the entities');
  const { epoch, version, seq, digest } = head;
  return { state, position: { epoch, version, seq, digest } };
};

/** By hand: a schema would cost as much as all the rest, and the checksum has spoken for the line already. */
const putOf = (text: string, index: number): ConfigOp => {
  try {
    const [kind, entity] = JSON.parse(text) as [Kind, { id: string }];
    if (KINDS.has(kind) && typeof entity.id === 'string') return { op: 'put', kind, id: entity.id, entity };
  } catch {
    // Told below.
  }
  throw new DamagedState(`its entity ${index} is not of format 1`);
};

const checkedBody = (text: Buffer): Buffer => {
  if (text.length === 0) throw new DamagedState('it is empty');
  if (text.at(-1) !== LINE_FEED) throw new DamagedState('it is cut short');
  const bodyEnd = text.lastIndexOf(LINE_FEED, text.length - 2) + 1;
  const body = text.subarray(0, bodyEnd);
  const { sha256 } = parsed(trailer, text.subarray(bodyEnd), 'last line');
  if (createHash('sha256').update(body).digest('hex') !== sha256)
    throw new DamagedState('the checksum does not match the content');
  return body;
};

const parsed = <S extends z.ZodType>(schema: S, bytes: Buffer, what: string): z.output<S> => {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    throw new DamagedState(`its ${what} is not JSON`);
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new DamagedState(`its ${what} is not of format 1`);
  return result.data;
};
