import { randomUUID } from 'node:crypto';
import {
  type ApiKey,
  authKeyStored,
  authKeyUsed,
  STREAMS,
  subjectFor,
  subjectPattern,
} from '@sluice/contracts';
import type { JetStream, StoredMessage } from '@sluice/service-kit';
import type { z } from 'zod';

const KEYS = STREAMS.API_KEYS.name;
const USES = STREAMS.API_KEY_USES.name;

/** An API key, and the sequence of its newest message: the lock of the next change. */
export interface StoredApiKey {
  readonly key: ApiKey;
  readonly seq: number;
}

/** A key by its id; undefined: there is none. Rejects when the stream does not answer in time, in ms. */
export const readApiKey = async (
  jetstream: JetStream,
  id: string,
  timeoutMs?: number,
): Promise<StoredApiKey | undefined> => {
  const message = await jetstream.readLast(KEYS, subjectFor(authKeyStored, id), timeoutMs);
  return message === undefined ? undefined : keyIn(message);
};

/** Every key, in the order in which they were changed last. */
export const listApiKeys = async function* (jetstream: JetStream): AsyncGenerator<StoredApiKey> {
  const every = subjectPattern(authKeyStored);
  let seq = 1;
  for (;;) {
    const message = await jetstream.readNext(KEYS, every, seq);
    if (message === undefined) return;
    seq = message.seq + 1;
    const found = keyIn(message);
    if (found !== undefined) yield found;
  }
};

/**
 * Stores a key, new or changed; `seq` is that of the message it was read from, 0 for a new one.
 * @throws SequenceConflict when somebody else changed it meanwhile; StreamFull.
 */
export const storeApiKey = async (
  jetstream: JetStream,
  { key, seq }: StoredApiKey,
  actor: string,
): Promise<StoredApiKey> => {
  const eventId = randomUUID();
  const message = {
    ...{ eventId, occurredAt: new Date().toISOString(), tenantId: key.tenantId, platformId: 'sluice', actor },
    payload: key,
  } satisfies z.input<typeof authKeyStored.payload>;
  const appended = await jetstream.append(subjectFor(authKeyStored, key.id), JSON.stringify(message), {
    msgId: eventId,
    expectLastSubjectSequence: seq,
  });
  return { key, seq: appended.seq };
};

/** Notes when a key was used. */
export const storeApiKeyUse = async (
  jetstream: JetStream,
  { id, tenantId }: ApiKey,
  { usedAtMs, actor }: { readonly usedAtMs: number; readonly actor: string },
): Promise<void> => {
  const message = {
    ...{ eventId: randomUUID(), occurredAt: new Date(usedAtMs).toISOString(), actor },
    ...{ tenantId, platformId: 'sluice', payload: { id, usedAtMs } },
  } satisfies z.input<typeof authKeyUsed.payload>;
  await jetstream.append(subjectFor(authKeyUsed, id), JSON.stringify(message));
};

/** When a key was last used, in Unix ms; undefined: never. */
export const readApiKeyUse = async (jetstream: JetStream, id: string): Promise<number | undefined> => {
  const message = await jetstream.readLast(USES, subjectFor(authKeyUsed, id));
  const parsed = message === undefined ? undefined : authKeyUsed.payload.safeParse(jsonIn(message));
  return parsed?.data?.payload.usedAtMs;
};

const keyIn = (message: StoredMessage): StoredApiKey | undefined => {
  const parsed = authKeyStored.payload.safeParse(jsonIn(message));
  return parsed.success ? { key: parsed.data.payload, seq: message.seq } : undefined;
};

const jsonIn = ({ data }: StoredMessage): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined; // not ours
  }
};
