import { setTimeout as sleep } from 'node:timers/promises';
import { readStream } from '@sluice/service-kit';
import { QuotaFlow } from './quota-flow.ts';
import { quotaSettled } from './quota-judge.ts';
import { POISON } from './quota-load.ts';
import type { QuotaWorld } from './quota-world.ts';

/** As large as the server takes, less what a dead letter's headers need. */
const LARGE_BYTES = 1_000_000;
const POISON_SHARE = 0.01;
const MOST_DELIVERIES = 5;
/** A good event that is not seen for so long is taken for stalled. */
const SEEN_WITHIN_MS = 30_000;

export interface PoisonRun {
  readonly tenants: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

interface Sent {
  readonly body: Buffer;
  readonly seq: number;
}

const bodyOf = (serial: number): Buffer => {
  const make = POISON[serial % (POISON.length + 1)];
  return Buffer.from(make?.(serial) ?? Buffer.alloc(LARGE_BYTES, 'x'));
};

/** Publishes good events and, when `sent` is given, one per cent of garbage between them. */
const flowFor = async (world: QuotaWorld, run: PoisonRun, sent?: Map<string, Sent>): Promise<QuotaFlow> => {
  const flow = new QuotaFlow(world, { ...run, name: sent === undefined ? 'alone' : 'beside' });
  const garbage: Promise<unknown>[] = [];
  const publishGarbage = async (serial: number) => {
    const id = `poison-${serial}`;
    const body = bodyOf(serial);
    const options = { msgId: id, headers: { 'X-From': id } };
    sent?.set(id, { body, seq: (await world.outside.jetstream.append('quota.updated', body, options)).seq });
  };
  const until = performance.now() + run.seconds * 1000;
  while (performance.now() < until) {
    await flow.publishDue();
    const wanted = sent === undefined ? 0 : Math.ceil(flow.published * POISON_SHARE);
    while (garbage.length < wanted) garbage.push(publishGarbage(garbage.length));
    await sleep(1);
  }
  await Promise.all(garbage);
  await flow.allSeen(SEEN_WITHIN_MS);
  return flow;
};

const wrongLetters = async (
  world: QuotaWorld,
  sent: ReadonlyMap<string, Sent>,
): Promise<readonly string[]> => {
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  await readStream(world.outside.jetstream, 'DEADLETTER', (page) => {
    for (const letter of page) {
      const id = letter.header('X-Orig-Msg-Id') ?? '';
      const original = sent.get(id);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      if (original === undefined) wrong.push(`${id || 'a message without an id'} is no poison`);
      else if (!original.body.equals(letter.data)) wrong.push(`${id}: other bytes`);
      if (letter.header('X-From') !== id) wrong.push(`${id}: its headers are lost`);
      if (letter.header('X-Orig-Seq') !== `${original?.seq}`) wrong.push(`${id}: another sequence`);
      if (letter.header('X-Dead-Reason') === undefined) wrong.push(`${id}: no reason`);
      if (!(Number(letter.header('X-Deliveries')) <= MOST_DELIVERIES))
        wrong.push(`${id}: ${letter.header('X-Deliveries')} deliveries`);
    }
    return Promise.resolve();
  });
  for (const id of sent.keys())
    if (seen.get(id) !== 1) wrong.push(`${id}: ${seen.get(id) ?? 0} dead letters`);
  return wrong;
};

/**
 * Q4: one per cent of garbage between the events of well-behaved tenants. Told is how long an event takes from its
 * publication until it can be read in Redis, without garbage and with it.
 * @returns dead letters that are not as they should be.
 */
export const poisonRow = async (world: QuotaWorld, run: PoisonRun): Promise<readonly string[]> => {
  const without = await flowFor(world, run);
  run.say(`Q4 without garbage: ${without.lagText()}`);
  const sent = new Map<string, Sent>();
  const beside = await flowFor(world, run, sent);
  run.say(`Q4 with ${sent.size} garbage messages: ${beside.lagText()}`);
  await quotaSettled(world.outside.jetstream, world.outside.redis);
  return wrongLetters(world, sent);
};
