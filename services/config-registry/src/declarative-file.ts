import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { commitOf } from '@sluice/config-log';
import { STREAMS } from '@sluice/contracts';
import type { JetStream, Logger } from '@sluice/service-kit';
import { type ApplyParts, applyConfig } from './apply-config.ts';

const AUTHOR = 'declarative-config';
const LONGEST_LOOK_BACK = 500; // commits
const HASH_LENGTH = 16;

interface FileParts extends ApplyParts {
  readonly jetstream: JetStream;
  readonly logger: Logger;
}

/**
 * Applies a configuration file at the start. With `changed`, a file whose text was applied before is left alone:
 * a registry that restarts must not undo what was accepted since.
 * @throws Error when the file is not valid, naming each problem.
 */
export const applyFile = async (
  parts: FileParts,
  path: string,
  { when, lastSeq }: { when: 'changed' | 'always'; lastSeq: number },
): Promise<void> => {
  const text = await readFile(path, 'utf8');
  const mark = `sha256 ${createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)}`;
  if (when === 'changed' && (await newestMessage(parts.jetstream, lastSeq))?.endsWith(mark) === true) {
    parts.logger.info({ path }, 'configuration file applied before and unchanged since; the log is newer');
    return;
  }
  const request = { input: { text }, author: AUTHOR, message: `${basename(path)} at the start, ${mark}` };
  const applied = await applyConfig({ ...parts, ackTimeoutMs: 0 }, request);
  if (applied.outcome !== 'refused') return;
  const problems = applied.refusal.problems.map(
    ({ path: where, line, column, message }) =>
      `  ${line === null ? '' : `${line}:${column} `}${where}: ${message}`,
  );
  throw new Error(`${path} is not a valid configuration:\n${problems.join('\n')}`);
};

/** Message of the newest commit that came from a file. */
const newestMessage = async (jetstream: JetStream, lastSeq: number): Promise<string | undefined> => {
  for (let seq = lastSeq; seq > Math.max(0, lastSeq - LONGEST_LOOK_BACK); seq--) {
    const message = await jetstream.readAt(STREAMS.CONFIG.name, seq);
    const stored = message === undefined ? undefined : commitOf(message);
    if (stored?.actor === AUTHOR) return stored.commit.message;
  }
  return undefined;
};
