import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, silentLogger } from '@sluice/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveFeed } from '../../src/console/live-feed.ts';

let server: Server;
let feed: LiveFeed;
let looks = 0;
let mayGoOn = true;
beforeEach(async () => {
  looks = 0;
  mayGoOn = true;
  feed = new LiveFeed(async () => ({ look: ++looks }), silentLogger());
  server = createServer((_request, response) => feed.add(response, () => mayGoOn));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterEach(() => {
  feed.stop();
  server.closeAllConnections();
  server.close();
});

const follow = async () => {
  const stop = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    signal: stop.signal,
  });
  const seen = { text: '', isOver: false, leave: () => stop.abort() };
  const read = async () => {
    for await (const bytes of answer.body ?? []) seen.text += Buffer.from(bytes).toString();
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      seen.isOver = true;
    });
  return seen;
};

test('one look serves everybody who watches; after everybody left, who comes gets a look of their own', async () => {
  const [one, other] = [await follow(), await follow()];
  await eventually(() => one.text.includes('{"look":2}') && other.text.includes('{"look":2}'));
  expect(looks).toBeLessThan(4);
  one.leave();
  other.leave();
  await eventually(() => one.isOver && other.isOver);
  const again = await follow();
  await eventually(() => again.text.includes(`{"look":${looks}}`) && looks > 2);
});

test('when the session has ended, then the feed says so and ends', async () => {
  const seen = await follow();
  await eventually(() => seen.text.includes('{"look":1}'));
  mayGoOn = false;
  await eventually(() => seen.isOver);
  expect(seen.text).toMatch(/event: over\ndata: \{\}\n\n$/);
});

test('only so many may watch', async () => {
  const watching = [];
  for (let n = 0; n < 64; n += 1) watching.push(await follow());
  expect(feed.isFull).toBe(true);
  watching[0]?.leave();
  await eventually(() => !feed.isFull);
});
