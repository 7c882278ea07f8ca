import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { authRevoked, Revocation } from '@sluice/contracts';
import { type JetStream, SequenceConflict } from '@sluice/service-kit';
import type { z } from 'zod';
import { revocationOf, STREAM, type StoredRevocation, subjectOf } from './stored-revocation.ts';

const READ_MS = 2000;
const MAX_CONFLICTS = 20;
const AGAIN_MS = 20;

/**
 * Puts a revocation on the list, durably. One that says no more than what is there changes nothing, and of an earlier
 * instant never takes the place of a later one; so it may be repeated after any failure.
 * @returns what is in force now, and whether it is new.
 * @throws StreamFull, or the client's error when no word came: it may or may not be stored.
 */
export const appendRevocation = async (
  jetstream: JetStream,
  { revocation, occurredAt, actor }: StoredRevocation,
): Promise<{ readonly stored: StoredRevocation; readonly isNew: boolean }> => {
  const subject = subjectOf(revocation);
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    const last = await jetstream.readLast(STREAM, subject, READ_MS);
    const before = last === undefined ? undefined : revocationOf(last);
    const isOfThis = before !== undefined && subjectOf(before.revocation) === subject; // not a copy of another
    if (isOfThis && isAtLeast(before.revocation, revocation)) return { stored: before, isNew: false };
    const eventId = randomUUID();
    const message = {
      ...{ eventId, occurredAt, actor, tenantId: '*', platformId: 'sluice' },
      payload: revocation,
    } satisfies z.input<typeof authRevoked.payload>;
    try {
      await jetstream.append(subject, JSON.stringify(message), {
        msgId: eventId,
        expectLastSubjectSequence: last?.seq ?? 0,
      });
      return { stored: { revocation, occurredAt, actor }, isNew: true };
    } catch (error) {
      if (!(error instanceof SequenceConflict)) throw error;
      await sleep(AGAIN_MS); // somebody else wrote first, or a replica that lags was read
    }
  }
  throw new Error(`somebody else wrote first, ${MAX_CONFLICTS} times in a row`);
};

const isAtLeast = (one: Revocation, other: Revocation): boolean => one.notBeforeMs >= other.notBeforeMs;
