import { setImmediate as turn } from 'node:timers/promises';
import { type Kind, kindNames } from '@sluice/contracts';
import type { ConfigState, StateLine } from '@sluice/gateway-config';

const LINES_PER_TURN = 1000; // about 1 ms of work
const HASH_LENGTH = 64;
const HASH = /^[0-9a-f]{64}$/;
const [LINE_FEED, TAB] = [10, 9];

/** Lines of one kind that follow each other. */
interface Run {
  readonly kind: Kind;
  readonly start: number;
  /** Behind the last line feed. */
  readonly end: number;
  readonly count: number;
  /** Of the hashes. */
  readonly sum: bigint;
}

/** How a line is read, and what is thrown for one that is none. */
export interface LineReader {
  readonly lineOf: (line: string, index: number) => StateLine;
  readonly damaged: (index: number) => Error;
}

/**
 * Puts the entities of some kinds into a state; the others are counted and summed up, and read when they are asked
 * for. auth needs fifty consumers, not the ten thousand routes beside them.
 * @returns the number of all entities.
 */
export const readSome = async (
  body: Buffer,
  state: ConfigState,
  { known, kinds }: { readonly known: ConfigState | undefined; readonly kinds: ReadonlySet<Kind> },
  reader: LineReader,
): Promise<number> => {
  let count = 0;
  for (let start = 0; start < body.length; ) {
    const run = await runAt(body, start, (inRun) => reader.damaged(count + inRun));
    const { kind, end, sum } = run;
    const first = count;
    const read = (): StateLine[] =>
      linesOf(body, run).map((line, index) => reader.lineOf(line, first + index));
    if (kinds.has(kind)) for (const line of read()) state.putLine(line, known);
    else if (state.count(kind) === 0) state.putUnread({ kind, count: run.count, sum, read });
    else throw reader.damaged(count);
    count += run.count;
    start = end;
  }
  return count;
};

const linesOf = (body: Buffer, { start, end }: Run): string[] =>
  body.toString('utf8', start, body[end - 1] === LINE_FEED ? end - 1 : end).split('\n');

/** The lines from an offset on that are of the kind of the first one. */
const runAt = async (body: Buffer, start: number, damaged: (inRun: number) => Error): Promise<Run> => {
  const kind = kindNames.find((name) => isOfKind(body, start, name));
  if (kind === undefined) throw damaged(0);
  let sum = 0n;
  let count = 0;
  let at = start;
  while (at < body.length && isOfKind(body, at, kind)) {
    const hash = body.toString('latin1', at, at + HASH_LENGTH);
    if (!HASH.test(hash)) throw damaged(count);
    sum += BigInt(`0x${hash}`);
    count += 1;
    const newline = body.indexOf(LINE_FEED, at);
    at = newline === -1 ? body.length : newline + 1;
    if (count % LINES_PER_TURN === 0) await turn();
  }
  return { kind, start, end: at, count, sum };
};

const isOfKind = (body: Buffer, line: number, kind: Kind): boolean => {
  const from = line + HASH_LENGTH;
  if (body[from] !== TAB || body[from + 1 + kind.length] !== TAB) return false;
  for (let at = 0; at < kind.length; at += 1) if (body[from + 1 + at] !== kind.charCodeAt(at)) return false;
  return true;
};
