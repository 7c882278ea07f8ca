import { event } from '@sluice/contracts';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Bus, createLogger, MessageTooLarge } from '../src/index.ts';
import { connected, echo, failureOf, patientEcho, subscribed } from './echo.ts';

const MAX_PAYLOAD = 1024 * 1024;

const said = event({
  subject: 'test.said',
  summary: 'Somebody said something.',
  owner: 'auth',
  readers: ['edge-proxy'],
  payload: z.object({ text: z.string() }),
  examples: [],
});

describe('a question without an answer', () => {
  test('given nobody answers the subject, then there are no responders', async () => {
    await using nats = await startNats();
    await using asker = await connected(nats, 'asker');

    expect(await failureOf(asker.ask(echo, { text: 'a' }))).toMatchObject({
      kind: 'no-responders',
      subject: echo.subject,
    });
  });

  test('given the responder says nothing, then it is a timeout', async () => {
    await using nats = await startNats();
    await using asker = await connected(nats, 'asker');
    await using responder = await connected(nats, 'responder');
    responder.answer(echo, () => new Promise(() => undefined));
    await subscribed(responder);

    expect((await failureOf(asker.ask(echo, { text: 'a' }))).kind).toBe('timeout');
  });

  test.each(['{"text":1}', '{}', 'no json', '', '\u0000'])(
    'given the answer %j, then it is malformed and its content is not in the error',
    async (answer) => {
      await using nats = await startNats();
      await using asker = await connected(nats, 'asker');
      await using responder = await connected(nats, 'responder');
      responder.attachRaw((connection) => {
        connection.subscribe(echo.subject, { callback: (_, message) => void message.respond(answer) });
      });
      await subscribed(responder);

      const error = await failureOf(asker.ask(patientEcho, { text: 'a' }));

      expect([error.kind, error.message]).toEqual(['malformed', 'test.v1.echo: malformed']);
    },
  );

  test('given the server is gone, then it is disconnected, without waiting; back again, it is answered', async () => {
    await using nats = await startNats();
    await using asker = await connected(nats, 'asker');
    await using responder = await connected(nats, 'responder');
    responder.answer(echo, ({ text }) => ({ text }));
    await subscribed(responder);

    await nats.kill();
    await eventually(() => !asker.isConnected);
    // A question that waited would meet the server that starts below, and be answered.
    const asked = failureOf(asker.ask(patientEcho, { text: 'a' }));
    await nats.start();

    expect((await asked).kind).toBe('disconnected');
    await eventually(async () => expect(await asker.ask(echo, { text: 'b' })).toEqual({ text: 'b' }));
  });

  test('given the server was never there, then the bus opens all the same, and finds it when it comes', async () => {
    await using nats = await startNats();
    await nats.kill();
    const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
    expect((await failureOf(asker.ask(echo, { text: 'a' }))).kind).toBe('disconnected');
    expect(asker.publish(said, { text: 'lost' })).toBe(false);

    await nats.start();

    await eventually(() => asker.isConnected);
    expect((await failureOf(asker.ask(echo, { text: 'a' }))).kind).toBe('no-responders');
    await asker.close();
  });
});

describe('events', () => {
  test('given the server is killed and started again, then the subscription lives and its owner is told', async () => {
    await using nats = await startNats();
    await using publisher = await connected(nats, 'publisher');
    await using reader = await connected(nats, 'reader');
    const seen: string[] = [];
    let reconnects = 0;
    reader.on(said, ({ text }) => seen.push(text));
    reader.onReconnect(() => {
      reconnects += 1;
    });
    await subscribed(reader);
    publisher.publish(said, { text: 'before' });
    await eventually(() => seen.includes('before'));

    await nats.kill();
    await eventually(() => !publisher.isConnected && !reader.isConnected);
    await nats.start();

    await eventually(() => {
      publisher.publish(said, { text: 'after' });
      return seen.includes('after');
    });
    expect(reconnects).toBe(1);
  });

  test('given events that break their contract, then they are counted and dropped, and the next good one arrives', async () => {
    await using nats = await startNats();
    const lines: string[] = [];
    const logger = createLogger(
      { service: 'test', instance: 'test', level: 'warn' },
      { write: (line) => lines.push(line) },
    );
    await using publisher = await connected(nats, 'publisher');
    await using reader = await connected(nats, 'reader', logger);
    const seen: string[] = [];
    reader.on(said, ({ text }) => seen.push(text));
    await subscribed(reader);
    const raw = await publisher.connection;

    for (const data of ['{"text":12345}', 'not json', '', '[]', 'null', '\ufffd'])
      raw.publish(said.subject, data);
    for (let n = 0; n < 94; n++) raw.publish(said.subject, '{"text":12345}');
    publisher.publish(said, { text: 'good' });

    await eventually(() => expect(seen).toEqual(['good']));
    expect(reader.malformed.get(said.subject)).toBe(100);
    expect(lines).toHaveLength(1); // the first, and then every hundredth
    expect(lines[0]).toContain('text');
    expect(lines[0]).not.toContain('12345');
  });

  test('given a request that breaks its contract, then it is counted and the next one is answered', async () => {
    await using nats = await startNats();
    await using asker = await connected(nats, 'asker');
    await using responder = await connected(nats, 'responder');
    responder.answer(echo, ({ text }) => ({ text }));
    await subscribed(responder);

    expect((await failureOf(asker.ask(echo, { text: 7 } as never))).kind).toBe('timeout');

    expect(await asker.ask(patientEcho, { text: 'a' })).toEqual({ text: 'a' });
    expect(responder.malformed.get(echo.subject)).toBe(1);
  });
});

describe('a message larger than the server takes', () => {
  const big = 'x'.repeat(MAX_PAYLOAD);
  const wide = 'ü'.repeat(MAX_PAYLOAD / 2); // as many bytes from half as many characters
  const bytes = Buffer.byteLength(JSON.stringify({ text: big }));

  test.each([big, wide])(
    'is refused before it is sent, by subject and sizes, and the bus goes on',
    async (text) => {
      await using nats = await startNats();
      await using bus = await connected(nats, 'both');
      const seen: string[] = [];
      bus.on(said, (heard) => seen.push(heard.text));
      await subscribed(bus);

      expect(() => bus.publish(said, { text })).toThrow(MessageTooLarge);
      expect(() => bus.publish(said, { text })).toThrow(
        `test.said: a message of ${bytes} bytes was not sent, the server takes at most ${MAX_PAYLOAD}`,
      );
      await expect(bus.ask(echo, { text })).rejects.toThrow(MessageTooLarge);
      await expect(bus.scatter(echo, { text })).rejects.toThrow(MessageTooLarge);

      const largest = 'x'.repeat(MAX_PAYLOAD - '{"text":""}'.length);
      expect(bus.publish(said, { text: largest })).toBe(true);
      await eventually(() => expect(seen.map(({ length }) => length)).toEqual([largest.length]));
      expect(bus.isConnected).toBe(true);
    },
  );

  test('is refused as an answer too: the log names it, and the responder goes on', async () => {
    await using nats = await startNats();
    const lines: string[] = [];
    const logger = createLogger(
      { service: 'test', instance: 'test', level: 'error' },
      { write: (line) => lines.push(line) },
    );
    await using responder = await connected(nats, 'responder', logger);
    await using asker = await connected(nats, 'asker');
    responder.answer(echo, ({ text }) => ({ text: text === 'big' ? big : text }));
    await subscribed(responder);

    expect((await failureOf(asker.ask(echo, { text: 'big' }))).kind).toBe('timeout');

    expect(lines.join('')).toContain(`reply to test.v1.echo: a message of ${bytes} bytes`);
    expect(await asker.ask(patientEcho, { text: 'small' })).toEqual({ text: 'small' });
  });
});

test('given everyone answers, when all are asked, then each answer within the time is collected; without anyone, none', async () => {
  await using nats = await startNats();
  await using asker = await connected(nats, 'asker');
  const { queue: _, ...forAll } = echo;
  expect(await asker.scatter(forAll, { text: 'a' })).toEqual([]);
  await using one = await connected(nats, 'one');
  await using other = await connected(nats, 'other');
  await using broken = await connected(nats, 'broken');
  for (const [bus, by] of [
    [one, 'one'],
    [other, 'other'],
    [broken, 7 as unknown as string],
  ] as const) {
    bus.answer(forAll, ({ text }) => ({ text, by }));
    await subscribed(bus);
  }

  const replies = await asker.scatter({ ...forAll, timeoutMs: 500 }, { text: 'a' });

  expect(replies.map(({ by }) => by).sort()).toEqual(['one', 'other']);
  expect(asker.malformed.get(echo.subject)).toBe(1);
});

test('given it is known how many answer, when all have, then nobody waits for the rest of the time', async () => {
  await using nats = await startNats();
  await using asker = await connected(nats, 'asker');
  await using one = await connected(nats, 'one');
  await using other = await connected(nats, 'other');
  const { queue: _, ...echoes } = echo;
  const forAll = { ...echoes, timeoutMs: 2 ** 30 }; // longer than any test
  for (const [bus, by] of [
    [one, 'one'],
    [other, 'other'],
  ] as const) {
    bus.answer(forAll, ({ text }) => ({ text, by }));
    await subscribed(bus);
  }

  const replies = await asker.scatter(forAll, { text: 'a' }, 2);

  expect(replies.map(({ by }) => by).sort()).toEqual(['one', 'other']);
});
