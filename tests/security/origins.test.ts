import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Said, ScriptOrigin } from './script-origin.ts';
import { ENGINES, type EngineName, statusesOf, World } from './world.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const chunked = (body: string): string => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
const withLine = (line: string): string => `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 2\r\n\r\nok`;
const sized = (length: string, body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`;

/** Of which the client has to have an honest 5xx, or one clean answer with the body `ok`. */
const ANSWERS: Readonly<Record<string, string>> = {
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!',
  'the same length twice': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'a length, then chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'chunks, then a length':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'a length with a sign': sized('+2', 'ok'),
  'a hexadecimal length': sized('0x2', 'ok'),
  'two lengths in one line': sized('2, 2', 'ok'),
  'a length of words': sized('two', 'ok'),
  'a huge length': sized('99999999999999999999', 'ok'),
  'a bare LF in the head': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a folded line': withLine('X-A: 1\r\n 2'),
  'a blank before a colon': withLine('X-A : 1'),
  'a NUL in a value': withLine('X-A: 1\x002'),
  'a control character in a value': withLine('X-A: 1\x012'),
  'a bare CR in a value': withLine('X-A: 1\r2'),
  'chunks twice': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'chunks and gzip': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'another version': 'HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'no version': 'OK\r\n\r\nok',
  garbage: '\x00\x01\x02\x03\r\n\r\n',
  TLS: '\x15\x03\x01\x00\x02\x02\x50',
  'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok',
  'status 999': 'HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nok',
  'status 000': 'HTTP/1.1 000 What\r\nContent-Length: 2\r\n\r\nok',
  'a head of 1 MB': withLine(`X-A: ${'a'.repeat(1_000_000)}`),
  'ten thousand lines': withLine(Array.from({ length: 10_000 }, (_, i) => `X-${i}: 1`).join('\r\n')),
  'a 101 nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nok',
  'a WebSocket nobody asked for':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nok',
  'fifty interim answers': `${'HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n'.repeat(50)}${OK}`,
  'bytes behind the answer': `${OK}HTTP/1.1 200 OK\r\nX-Poison: 1\r\nContent-Length: 6\r\n\r\npoison`,
  'a second answer': `${OK}${OK}`,
  'an answer to HEAD with a body': OK,
};

/** Of which the client must never have a whole answer. */
const TRUNCATED: Readonly<Record<string, string>> = {
  'a bad chunk size': chunked('zz\r\nok\r\n0\r\n\r\n'),
  'an endless chunk size': chunked(`${'f'.repeat(40)}\r\nok\r\n0\r\n\r\n`),
  'interim answers without end': 'HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n'.repeat(10_000) + OK,
  'a length that is not reached': sized('100', 'half'),
  'a chunk that is not whole': chunked('64\r\nhalf'),
  'chunks without their last': chunked('4\r\nhalf\r\n'),
  'a last chunk without its end': chunked('4\r\nhalf\r\n0\r\n'),
  'a head that ends in the middle': 'HTTP/1.1 200 OK\r\nContent-Le',
};

let world: World;
let current: (said: Said, head: string, origin: ScriptOrigin) => void = () => undefined;
let origin: ScriptOrigin;
beforeAll(async () => {
  world = await World.shared();
  origin = await ScriptOrigin.start((...heard) => current(...heard));
  const over = { port: origin.port, read_timeout: 3000, retries: 0 };
  await world.load({
    services: [world.service('script', [{ paths: ['/'], strip_path: false }], over)],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const isWhole = (text: string): boolean => {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const [head, body] = [text.slice(0, end).toLowerCase(), text.slice(end + 4)];
  const length = /content-length: (\d+)/.exec(head)?.[1];
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length === Number(length);
};

const ask = (engine: EngineName, line = 'GET /', rest = '\r\n'): Promise<string> =>
  world.send(engine, `${line} HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n${rest}`);

/** Answers that once, and every later request on any connection with `fine`. */
const once = (answer: string, then: (socket: Said['socket']) => void = () => undefined): void => {
  let isFirst = true;
  current = ({ socket }) => {
    if (!isFirst) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
      return;
    }
    isFirst = false;
    socket.write(answer, 'latin1', () => then(socket));
  };
};

describe.each(ENGINES)('by %s', (engine) => {
  test.each(Object.entries(ANSWERS))(
    'given %s, then one clean answer or an honest error, and nothing of it reaches the next client',
    async (name, answer) => {
      const method = name.includes('HEAD') ? 'HEAD' : 'GET';
      once(answer, (socket) => {
        if (!name.includes('answer')) socket.end();
      });
      const text = await ask(engine, `${method} /`);
      const [status = 0] = statusesOf(text).filter((one) => one >= 200);
      if (status === 200) {
        if (method === 'GET') expect(isWhole(text), text.slice(0, 300)).toBe(true);
        expect(text).toMatch(
          method === 'GET' ? /\r\n\r\n(?:2\r\n)?(?:ok|fine)(?:\r\n0\r\n\r\n)?$/ : /\r\n\r\n$/,
        );
        expect(text.match(/content-length|transfer-encoding/gi)).toHaveLength(1);
      } else if (text !== '') expect(status, text.slice(0, 300)).toBeGreaterThanOrEqual(500);
      expect(text).not.toContain('oison');
      const next = await ask(engine);
      expect(next).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nfine$/);
    },
  );

  test.each(Object.entries(TRUNCATED))(
    'given %s, then the client sees that it is not whole',
    async (_, answer) => {
      once(answer, (socket) => socket.end());
      const text = await ask(engine);
      const [status] = statusesOf(text);
      if (status === 200) expect(isWhole(text), text).toBe(false);
      else expect(status).toBe(502);
    },
  );

  test('given bytes on an idle connection, then the next client has none of them', async () => {
    once(OK, (socket) => {
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'), 5);
    });
    expect(await ask(engine)).toMatch(/ok$/);
    await pause(30);
    expect(await ask(engine)).toMatch(/\r\n\r\nfine$/);
  });

  test('given an answer before the request is done, then it passes, and its connection serves nobody else', async () => {
    current = ({ socket, requests }, head) => {
      if (head.startsWith('POST')) socket.write(OK);
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${requests}`);
    };
    const body = 'Content-Length: 100000\r\n\r\nGET /poison HTTP/1.1\r\nHost: h\r\n\r\n';
    const text = await world.send(engine, `POST / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n${body}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/);
    expect(await ask(engine)).toMatch(/\r\n\r\n1$/);
  });

  test.each([
    ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].map((method) => [method, 2] as const),
    ...['POST', 'PATCH', 'LOCK'].map((method) => [method, 1] as const),
  ])(
    'given an idle connection that breaks under a %s, then the origin hears it %i times',
    async (method, times) => {
      let breaks = false;
      current = ({ socket }, head) => {
        if (breaks) socket.destroy();
        else socket.write(head.startsWith('HEAD') ? OK.replace(/ok$/, '') : OK);
        breaks = false;
      };
      expect(statusesOf(await ask(engine))).toEqual([200]);
      origin.heard.length = 0;
      breaks = true;
      const rest = method === 'GET' || method === 'HEAD' ? '\r\n' : 'Content-Length: 0\r\n\r\n';
      const [status] = statusesOf(await ask(engine, `${method} /race`, rest));
      expect(origin.heard).toEqual(Array.from({ length: times }, () => `${method} /race HTTP/1.1`));
      expect(status).toBe(times === 2 ? 200 : 502);
    },
  );
});
