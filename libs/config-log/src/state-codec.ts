import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type Kind, kindNames } from '@sluice/contracts';
import { ConfigState, type StateLine } from '@sluice/gateway-config';
import { z } from 'zod';
import type { Position, Replica } from './position.ts';
import { readSome } from './read-some.ts';

/**
 * A state as text, the form of snapshots and of the last-known-good file: a header line, then one line per entity
 * with its hash, kind, id and canonical JSON between tabs, which JSON never holds as they are. Whoever reads it
 * checks the sum of the hashes and believes each hash; that the text is what was written is the business of the
 * checksum around it (the snapshot's, or the file's seal). Lines are written and read some hundred at a time, so
 * that a process that serves traffic is never held up by its own configuration.
 */
const LINES_PER_TURN = 500; // about 1 ms of work
const BYTES_PER_TURN = 256 * 1024;
const LINE_FEED = 10;

const header = z.object({
  format: z.literal(2),
  epoch: z.string(),
  version: z.int().nonnegative(),
  seq: z.int().nonnegative(),
  digest: z.string(),
  entities: z.int().nonnegative(),
});
const seal = z.object({ sha256: z.string() });
const KINDS: ReadonlySet<unknown> = new Set(kindNames);
const HASH = /^[0-9a-f]{64}$/;

/** Text that is not a whole, undamaged state; the message says why. */
export class DamagedState extends Error {}

/**
 * Serialises a state. The entities are taken at once, so the state may change while this runs.
 * @throws DamagedState when the position's digest is not the state's.
 */
export const encodeState = async (state: ConfigState, position: Position): Promise<Buffer> => {
  if (state.digest !== position.digest) throw new DamagedState('the state is not the one the position names');
  const taken = state.clone();
  const { epoch, version, seq, digest } = position;
  const head = { format: 2, epoch, version, seq, digest, entities: taken.size };
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`)];
  let lines: string[] = [];
  for (const { kind, id, hash, text } of taken.lines()) {
    lines.push(`${hash}\t${kind}\t${JSON.stringify(id)}\t${text}\n`);
    if (lines.length < LINES_PER_TURN) continue;
    parts.push(Buffer.from(lines.join('')));
    lines = [];
    await turn();
  }
  return Buffer.concat([...parts, Buffer.from(lines.join(''))]);
};

/** What a reader of states has and wants. */
export interface ReadOptions {
  /** Entities that it has in the same form are taken from there. */
  readonly known?: ConfigState | undefined;
  /** Those of other kinds are left unread until somebody asks; absent: all are read. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
}

/**
 * Reads what `encodeState` wrote.
 * @throws DamagedState
 */
export const decodeState = async (text: Buffer, { known, kinds }: ReadOptions = {}): Promise<Replica> => {
  const firstEnd = text.indexOf(LINE_FEED);
  if (firstEnd === -1) throw new DamagedState('it has no header');
  const head = parsed(header, text.subarray(0, firstEnd), 'header');
  const state = new ConfigState();
  const body = text.subarray(firstEnd + 1);
  const count = await (kinds === undefined
    ? readAll(body, state, known)
    : readSome(body, state, { known, kinds }, { lineOf, damaged: notAnEntity }));
  if (count !== head.entities) throw new DamagedState(`${count} entities instead of ${head.entities}`);
  if (state.digest !== head.digest) throw new DamagedState('the digest does not match the entities');
  const { epoch, version, seq, digest } = head;
  return { state, position: { epoch, version, seq, digest } };
};

/** @returns the number of entities. */
const readAll = async (body: Buffer, state: ConfigState, known: ConfigState | undefined): Promise<number> => {
  let count = 0;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(LINE_FEED, Math.min(start + BYTES_PER_TURN, body.length - 1));
    const end = newline === -1 ? body.length : newline;
    const lines = body.toString('utf8', start, end).split('\n');
    for (let at = 0; at < lines.length; at += 1) state.putLine(lineOf(lines[at] as string, count++), known);
    start = end + 1;
    await turn();
  }
  return count;
};

const notAnEntity = (index: number): DamagedState =>
  new DamagedState(`its entity ${index} is not of format 2`);

/** By hand: a schema would cost more than all the rest. */
const lineOf = (line: string, index: number): StateLine => {
  const kindStart = line.indexOf('\t') + 1;
  const idStart = line.indexOf('\t', kindStart) + 1;
  const textStart = line.indexOf('\t', idStart) + 1;
  const hash = line.slice(0, kindStart - 1);
  const kind = line.slice(kindStart, idStart - 1);
  const text = line.slice(textStart);
  if (kindStart * idStart * textStart === 0 || !KINDS.has(kind) || !HASH.test(hash) || text[0] !== '{')
    throw notAnEntity(index);
  return { hash, kind: kind as Kind, id: JSON.parse(line.slice(idStart, textStart - 1)) as string, text };
};

/** The text with a last line that holds its SHA-256: a file has nothing else around it. */
export const sealed = async (text: Buffer): Promise<Buffer> =>
  Buffer.concat([text, Buffer.from(`${JSON.stringify({ sha256: await checksumOf(text) })}\n`)]);

/**
 * What was sealed.
 * @throws DamagedState when it is not that any more.
 */
export const unsealed = async (file: Buffer): Promise<Buffer> => {
  if (file.length === 0) throw new DamagedState('it is empty');
  if (file.at(-1) !== LINE_FEED) throw new DamagedState('it is cut short');
  const end = file.lastIndexOf(LINE_FEED, file.length - 2) + 1;
  const text = file.subarray(0, end);
  const { sha256 } = parsed(seal, file.subarray(end), 'last line');
  if ((await checksumOf(text)) !== sha256) throw new DamagedState('the checksum does not match the content');
  return text;
};

const checksumOf = async (text: Buffer): Promise<string> => {
  const hash = createHash('sha256');
  for (let at = 0; at < text.length; at += BYTES_PER_TURN) {
    hash.update(text.subarray(at, at + BYTES_PER_TURN));
    await turn();
  }
  return hash.digest('hex');
};

const parsed = <S extends z.ZodType>(schema: S, bytes: Buffer, what: string): z.output<S> => {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    throw new DamagedState(`its ${what} is not JSON`);
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new DamagedState(`its ${what} is not of format 2`);
  return result.data;
};
