import { edgeShadow } from '@sluice/contracts';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { plugin, route } from '../edge-world.ts';
import {
  copies,
  differences,
  dualRun,
  figures,
  type Handler,
  json,
  order,
  skipped,
  until,
} from './dual-run.ts';

test('given a second gateway, when both answer alike, then the client has its own answer and the copy is equal', async () => {
  await using run = await dualRun({ there: json(' { "total" : 12.0, "id": 7 }') });

  const answer = await run.get('/a%20b?x=1&x=2', { headers: { Host: 'shop.example', 'X-Who': 'me' } });

  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toEqual({ id: 7, total: 12 });
  await until(run.world, copies('equal'));
  expect(run.upstream.received).toHaveLength(1);
  const [copy] = run.second.received;
  expect(copy).toMatchObject({
    method: 'GET',
    url: '/a%20b?x=1&x=2',
    headers: {
      host: 'shop.example',
      'x-who': 'me',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-sluice-shadow': answer.headers['x-kong-request-id'],
    },
  });
  expect(run.upstream.received[0]?.headers).not.toHaveProperty('x-sluice-shadow');
});

test.each([
  ['status', json({ id: 7, total: 12 }, 201)],
  ['header', json({ id: 7, total: 12 }, 200, { 'content-type': 'application/json; charset=utf-8' })],
  ['body', json({ id: 7, total: 13 })],
] as const)('given answers with another %s, then they differ in it alone', async (kind, there) => {
  await using run = await dualRun({ there });
  await run.get();
  await until(run.world, copies('different'));
  const figure = await figures(run.world);
  expect(Object.keys(figure).filter((name) => name.startsWith('differences'))).toEqual([differences(kind)]);
});

test('given fields and headers to leave out, when only these differ, then the answers are equal', async () => {
  const here = json({ items: [{ id: 1, at: 'now' }] }, 200, { etag: '"1"' });
  const there = json({ items: [{ id: 1, at: 'later' }] }, 200, { etag: '"2"' });
  await using run = await dualRun({ here, there }, { compare: { ignore: ['items.*.at'] } });
  await run.get();
  await until(run.world, copies('equal'));
});

test('given a refusal of this gateway, and no route at all, then these are compared like any other answer', async () => {
  const refused = json({ message: 'No', request_id: 'x' }, 403, {
    'content-type': 'application/json; charset=utf-8',
  });
  await using run = await dualRun(
    { there: refused },
    {},
    {
      routes: [route('closed', null, { paths: ['/closed'] })],
      plugins: [
        plugin(
          'request-termination',
          { status_code: 403, message: 'No' },
          { route: { id: route('closed', null).id } },
        ),
      ],
    },
  );
  await run.get('/closed');
  await until(run.world, copies('equal', 'closed'));
  expect((await run.get('/nowhere')).status).toBe(404);
  await until(run.world, copies('different', ''));
});

test('given a second gateway that hangs, when it has as many copies as it may, then others are dropped and clients wait for none', async () => {
  await using run = await dualRun({ there: () => undefined }, { concurrency: 2, timeout: 60_000 });
  for (let i = 0; i < 5; i++) expect((await run.get()).status).toBe(200);
  await until(run.world, skipped('busy'), 3);
  expect(await figures(run.world)).toMatchObject({ copies_under_way: 2 });
  expect(run.second.received).toHaveLength(2);
});

test('given a second gateway that is too slow, breaks off, or is gone, then that is what is counted', async () => {
  let behave: Handler = () => undefined;
  await using run = await dualRun(
    { there: (request, response) => behave(request, response) },
    { timeout: 300 },
  );
  await run.get();
  await until(run.world, copies('timeout'));

  behave = (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.destroy());
  };
  await run.get();
  await until(run.world, copies('broken'));

  await run.second[Symbol.asyncDispose]();
  expect((await run.get()).status).toBe(200);
  await until(run.world, copies('unreachable'));
  expect(await figures(run.world)).toMatchObject({ copies_under_way: 0 });
});

test('given a connection that was closed while nobody used it, then the copy goes out on another one', async () => {
  const used = new WeakSet<object>();
  const there: Handler = (request, response) => {
    if (used.has(request.socket)) request.socket.destroy();
    else order(request, response);
    used.add(request.socket);
  };
  await using run = await dualRun({ there });
  for (const copied of [1, 2]) {
    await run.get();
    await until(run.world, copies('equal'), copied);
  }
  expect(run.second.received).toHaveLength(3);
});

test('given an answer that streams, then the client has each piece at once, and no end is waited for', async () => {
  const events: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    response.end();
  };
  await using run = await dualRun({ here: events });
  await run.get();
  await until(run.world, skipped('stream'));

  let finish = (): void => undefined;
  const piecewise: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).write('first');
    finish = () => response.end(' second');
  };
  await using slow = await dualRun({ here: piecewise, there: piecewise });
  const pieces: string[] = [];
  const response = await fetch(`http://127.0.0.1:${slow.world.port}/`);
  for await (const piece of response.body ?? []) {
    pieces.push(Buffer.from(piece as Uint8Array).toString());
    finish();
  }
  expect(pieces).toEqual(['first', ' second']);
  await eventually(() => expect(slow.second.received).toHaveLength(1));
  await eventually(async () => {
    finish();
    expect((await figures(slow.world))[copies('equal')]).toBe(1);
  });
});

test('given answers larger than are compared, then they are judged by the rest, unless only one is', async () => {
  let there = 'b'.repeat(200);
  const text =
    (body: () => string): Handler =>
    (_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain' }).end(body());
  await using run = await dualRun(
    { here: text(() => 'a'.repeat(200)), there: text(() => there) },
    { max_answer_bytes: 100 },
  );
  await run.get();
  await until(run.world, copies('equal'));
  expect(await figures(run.world)).toMatchObject({ 'uncompared_bodies_total{route="orders"}': 1 });
  there = 'b';
  await run.get();
  await until(run.world, copies('different'));
});

test('given a client that leaves, then half its answer is not compared', async () => {
  const endless: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).write('first');
  };
  await using run = await dualRun({ here: endless });
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${run.world.port}/`, { signal: leaving.signal });
  expect(response.status).toBe(200);
  leaving.abort();
  await until(run.world, skipped('aborted'));
  expect(run.second.received).toHaveLength(0);
});

test('given differences, then whoever asks is told the requests and what differs, and nothing that was said', async () => {
  const there = json({ secret: 's-1' }, 404, { 'content-type': 'text/s-2', 'set-cookie': 's-3' });
  await using run = await dualRun({ there }, { compare: { headers: ['content-type', 'set-cookie'] } });
  const first = await run.get('/?token=s-4', { headers: { Authorization: 's-5' } });
  await until(run.world, differences('body'));
  const second = await run.get('/');
  await until(run.world, differences('body'), 2);
  await run.get('/', { method: 'POST', body: 's-6' });
  await until(run.world, skipped('method'));

  const ask = async (request: { route?: string; examples: number }) =>
    (await run.world.bus.scatter(edgeShadow, request, 1))[0];
  const told = await ask({ examples: 5 });

  const differing = [
    { kind: 'status', here: 200, there: 404 },
    { kind: 'header', name: 'content-type' },
    { kind: 'header', name: 'set-cookie' },
    { kind: 'body', here: 19, there: 16 },
  ];
  const ids = [second, first].map(({ headers }) => headers['x-kong-request-id']);
  expect(told).toMatchObject({
    instance: 'edge-0',
    routes: [
      {
        ...{ route: 'orders', uncompared: 0 },
        outcomes: [{ name: 'different', count: 2 }],
        skipped: [{ name: 'method', count: 1 }],
        examples: ids.map((requestId) => ({ requestId, method: 'GET', differences: differing })),
      },
    ],
  });
  expect(JSON.stringify(told)).not.toMatch(/s-\d/);
  expect((await ask({ route: 'orders', examples: 1 }))?.routes[0]?.examples).toHaveLength(1);
  expect((await ask({ route: 'others', examples: 1 }))?.routes).toEqual([]);
});
