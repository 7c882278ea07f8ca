import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { FaultProxy } from '../src/fault-proxy.ts';

/** A server that answers every byte with the same byte, behind the proxy, and one client of it. */
const echoing = async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start((server.address() as { port: number }).port);
  const client = connect(proxy.port, '127.0.0.1');
  const heard = { text: '', error: '' };
  client.on('data', (bytes) => (heard.text += bytes.toString('latin1')));
  client.on('error', (error: NodeJS.ErrnoException) => (heard.error = error.code ?? ''));
  await eventually(() => expect(proxy.connections).toBe(1));
  const say = async (text: string) => {
    client.write(text);
    await eventually(() => expect(heard.text.endsWith(text)).toBe(true));
  };
  return {
    ...{ proxy, client, heard, say },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await proxy[Symbol.asyncDispose]();
      server.close();
      await once(server, 'close');
    },
  };
};

/** A round trip beside the proxy: whatever could have arrived has. */
const aMoment = (socket: Socket) => new Promise((done) => setTimeout(done, 60, socket));

test('given no fault, then bytes pass both ways; the URL keeps all but the port', async () => {
  await using given = await echoing();

  await given.say('hello');

  expect(given.proxy.urlFor('redis://me:pw@127.0.0.1:6379')).toBe(
    `redis://me:pw@127.0.0.1:${given.proxy.port}`,
  );
});

test.each(['partition', 'blackhole', 'refuse'] as const)(
  'given %s, then nothing arrives and the connection stays; healed, all of it does',
  async (kind) => {
    await using given = await echoing();
    await given.say('a');

    given.proxy.inject({ kind });
    given.client.write('lost?');
    await aMoment(given.client);

    expect(given.heard).toEqual({ text: 'a', error: '' });
    given.proxy.heal();
    await eventually(() => expect(given.heard.text).toBe('alost?'));
  },
);

test('given refuse, then a new connection is reset', async () => {
  await using given = await echoing();
  given.proxy.inject({ kind: 'refuse' });

  const other = connect(given.proxy.port, '127.0.0.1');
  const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];

  expect(error.code).toBe('ECONNRESET');
});

test('given blackhole, then a new connection opens, and nothing arrives on it even when it heals', async () => {
  await using given = await echoing();
  given.proxy.inject({ kind: 'blackhole' });

  const other = connect(given.proxy.port, '127.0.0.1');
  await once(other, 'connect');
  const heard: string[] = [];
  other.on('data', (bytes) => heard.push(`${bytes}`)).write('lost');
  await aMoment(other);
  given.proxy.heal();
  await given.say('after');

  expect(heard).toEqual([]);
  other.destroy();
});

test('given reset, then the client is told by RST', async () => {
  await using given = await echoing();

  given.proxy.reset();

  await eventually(() => expect(given.heard.error).toBe('ECONNRESET'));
  await eventually(() => expect(given.proxy.connections).toBe(0));
});

test('given garbage, then the answer is none that was sent', async () => {
  await using given = await echoing();
  given.proxy.inject({ kind: 'garbage' });

  given.client.write('question');

  await eventually(() => expect(given.heard.text).toContain('not a protocol'));
  expect(given.heard.text).not.toContain('question');
});

test('given delay or throttling, then every byte arrives, later and in order', async () => {
  await using given = await echoing();
  const text = Array.from({ length: 200 }, (_, n) => `${n};`).join('');

  const begun = performance.now();
  given.proxy.inject({ kind: 'delay', ms: 50 });
  await given.say('late');
  const delayedMs = performance.now() - begun;
  given.proxy.inject({ kind: 'throttle', bytesPerSecond: 5000 });
  await given.say(text);

  expect(delayedMs).toBeGreaterThanOrEqual(99); // 50 there, 50 back
  expect(given.heard.text).toBe(`late${text}`);
});
