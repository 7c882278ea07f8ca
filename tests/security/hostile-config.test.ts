import type { Answer } from '@sluice/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HOSTILE_DOCUMENTS, type HostileDocument, hugeDocuments } from './hostile-documents.ts';
import { ENGINES, World } from './world.ts';

/** `npm run fuzz` sets it: every document, at full size, and the times are printed; nothing judges them. */
const IS_LONG = process.env.FUZZ_SECONDS !== undefined;
/** Of many documents of one kind a short run posts every so-manieth. */
const STEP = IS_LONG ? 1 : 7;
const MANY = 60;

let world: World;
beforeAll(async () => {
  world = await World.shared();
});
afterAll(() => world[Symbol.asyncDispose]());

const steady = () => ({
  services: [world.service('steady', [{ name: 'steady', paths: ['/steady'], hosts: ['steady.test'] }])],
});

/** Requests through both engines, one after the other, as long as the test runs. */
class Traffic {
  readonly faults: string[] = [];
  count = 0;
  slowestMs = 0;
  #isOver = false;
  #runs: readonly Promise<void>[] = [];

  start(): void {
    this.#runs = ENGINES.map(async (engine) => {
      while (!this.#isOver) {
        const from = performance.now();
        const { status, text } = await world.ask(engine, '/steady', { headers: { host: 'steady.test' } });
        this.slowestMs = Math.max(this.slowestMs, performance.now() - from);
        this.count += 1;
        if (status !== 200) this.faults.push(`${status} ${text}`);
      }
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#runs);
  }
}

let traffic: Traffic;
let slowest = { name: '', ms: 0 };
beforeEach(async () => {
  await world.load(steady());
  traffic = new Traffic();
  slowest = { name: '', ms: 0 };
  traffic.start();
});
afterEach(async ({ task }) => {
  await traffic.stop();
  expect(traffic.faults).toEqual([]);
  expect(traffic.count).toBeGreaterThan(1);
  if (IS_LONG)
    process.stdout.write(
      `${task.name}: slowest answer ${Math.round(slowest.ms)} ms (${slowest.name}), slowest of ${traffic.count} proxied requests ${Math.round(traffic.slowestMs)} ms\n`,
    );
});

const post = async ({ name, type, body }: HostileDocument): Promise<Answer> => {
  const from = performance.now();
  const headers = type === '' ? {} : { 'content-type': type };
  const answer = await world.admin('/config', { method: 'POST', headers, body });
  const ms = performance.now() - from;
  if (ms > slowest.ms) slowest = { name, ms };
  return answer;
};

/** In Kong's shape, and the configuration stands as it stood; what was accepted is taken back. */
const judge = async (document: HostileDocument): Promise<void> => {
  const answer = await post(document);
  const what = `${document.name}: ${answer.status} ${answer.text.slice(0, 300)}`;
  if (answer.status === 201) {
    expect(document.verdict, what).toBe('harmless');
    return world.load(steady());
  }
  expect(answer.status, what).toBeGreaterThanOrEqual(400);
  expect(answer.status, what).toBeLessThan(500);
  if (answer.status === 415) return;
  expect(answer.json<{ message: unknown }>().message, what).toEqual(expect.any(String));
};

describe.each(Object.entries(HOSTILE_DOCUMENTS))('given %s', (_group, documents) => {
  test(`${documents.length} documents: each gets 4xx or is harmless, and the old configuration serves`, async () => {
    // Those with something to serve beside them: an accepted one must not take the steady route away meanwhile.
    const step = documents.length > MANY ? STEP : 1;
    for (let i = 0; i < documents.length; i += step) await judge(withSteady(documents[i] as HostileDocument));
  });
});

/** Larger than what is read, and as large as what is. */
const HUGE = IS_LONG ? [...hugeDocuments(50), ...hugeDocuments(30)] : hugeDocuments(2);
test.each(HUGE)('given $name, then 4xx, and the old configuration serves', (document) => judge(document));

test('given patterns that would need exponential time, when they are in force, then requests that they fit are answered', async () => {
  const paths = ['(a+)+$', '(a|a)*$', '([a-z]+)*\\d$'].map((pattern) => `~/redos/${pattern}`);
  const redos = { name: 'redos', hosts: ['redos.test'], paths };
  await world.load({ services: [...steady().services, world.service('redos', [redos])] });
  for (const engine of ENGINES)
    for (const tail of ['a'.repeat(6000), `${'a'.repeat(6000)}!`, `${'a'.repeat(6000)}1`]) {
      const answer = await world.ask(engine, `/redos/${tail}`, { headers: { host: 'redos.test' } });
      expect([200, 404]).toContain(answer.status);
    }
});

/** The document with the steady service in it, where it is JSON of ours; others are refused as a whole. */
const withSteady = (document: HostileDocument): HostileDocument => {
  if (document.verdict === 'refused') return document;
  const { services = [], ...others } = JSON.parse(document.body.toString()) as { services?: object[] };
  return { ...document, body: JSON.stringify({ ...others, services: [...steady().services, ...services] }) };
};
