import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EdgeWorld, ENGINES, echo, forwardBy, Upstream } from './edge-world.ts';
import { block, END_HEADERS, END_STREAM, FRAME, frame, type Lines, sendFrames } from './http2-frames.ts';
import { TLS, throughTo, tlsPort } from './tls-world.ts';

const METHOD = [':method', 'POST'] as const;
const SCHEME = [':scheme', 'https'] as const;
const AUTHORITY = [':authority', 'h.test'] as const;
const PATH = [':path', '/x'] as const;
const HEAD = [METHOD, SCHEME, AUTHORITY, PATH];
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: h.test\r\n\r\n';

const post = (lines: Lines, ...data: readonly string[]): Buffer[] => [
  frame(FRAME.headers, END_HEADERS | (data.length === 0 ? END_STREAM : 0), 1, block(lines)),
  ...data.map((piece, i) =>
    frame(FRAME.data, i === data.length - 1 ? END_STREAM : 0, 1, Buffer.from(piece, 'latin1')),
  ),
];
const withLine = (name: string, value: string, ...data: readonly string[]) =>
  post([...HEAD, [name, value]], ...data);
const named = (values: readonly string[], of: (value: string) => Buffer[]): (readonly [string, Buffer[]])[] =>
  values.map((value) => [JSON.stringify(value), of(value)]);

/** What HTTP/1.1 has no words for, or other words: nobody may hear of it as a request. */
const REFUSED: Readonly<Record<string, readonly (readonly [string, Buffer[]])[]>> = {
  'a length': [
    ['and more', withLine('content-length', '5', `hello${SMUGGLED}`)],
    ['and less', withLine('content-length', '500', 'hello')],
    ['and nothing', withLine('content-length', '5')],
    ['twice', post([...HEAD, ['content-length', '5'], ['content-length', '6']], 'hello')],
    ['twice the same', post([...HEAD, ['content-length', '5'], ['content-length', '5']], 'hello')],
    ...named(['+5', '-5', '0x5', '5,5', '5 5', 'five', ''], (value) =>
      withLine('content-length', value, 'hello'),
    ),
  ],
  'a line of HTTP/1.1': [
    ['chunked', withLine('transfer-encoding', 'chunked', `0\r\n\r\n${SMUGGLED}`)],
    [
      'chunked beside a length',
      post([...HEAD, ['content-length', '5'], ['transfer-encoding', 'chunked']], '0\r\n\r\n'),
    ],
    ['Connection', withLine('connection', 'close')],
    ['Connection that names', withLine('connection', 'x-consumer-id')],
    ['Keep-Alive', withLine('keep-alive', '1')],
    ['Proxy-Connection', withLine('proxy-connection', 'keep-alive')],
    ['Upgrade', withLine('upgrade', 'h2c')],
    ['TE', withLine('te', 'gzip')],
  ],
  'a path': named(
    [
      '',
      'x',
      `/x HTTP/1.1\r\n\r\n${SMUGGLED}`,
      '/x y',
      '/x\ty',
      '/x\0',
      'http://other/x',
      '*',
      '/a/..%2f..%5cx',
    ],
    (path) => post([METHOD, SCHEME, AUTHORITY, [':path', path]]),
  ),
  'a method': named(
    [
      '',
      'GET /smuggled HTTP/1.1\r\nHost: h.test\r\n\r\nPOST',
      'PO ST',
      'POST\r\n',
      'CONNECT',
      'TRACE',
      'P\0',
    ],
    (method) => post([[':method', method], SCHEME, AUTHORITY, PATH]),
  ),
  'an authority': [
    ...named(
      ['', 'a b', 'a, b', 'u@h', 'h:x', 'h:99999', 'h\r\nx-a: 1', 'h/x', 'h\\x', 'a..b'],
      (authority) => post([METHOD, SCHEME, [':authority', authority], PATH]),
    ),
    ['none', post([METHOD, SCHEME, PATH])],
    ['and another Host', withLine('host', 'other.test')],
    ['and two Hosts', post([...HEAD, ['host', 'h.test'], ['host', 'other.test']])],
  ],
  'a pseudo header': [
    ['twice: path', post([...HEAD, PATH])],
    ['twice: method', post([...HEAD, METHOD])],
    ['twice: authority', post([...HEAD, AUTHORITY])],
    ['that is an answer’s', post([...HEAD, [':status', '200']])],
    ['that there is not', post([...HEAD, [':evil', '1']])],
    ['behind an ordinary one', post([METHOD, SCHEME, AUTHORITY, ['x-a', '1'], PATH])],
    ['less: path', post([METHOD, SCHEME, AUTHORITY])],
    ['less: method', post([SCHEME, AUTHORITY, PATH])],
    ['more: protocol', post([[':method', 'CONNECT'], SCHEME, AUTHORITY, PATH, [':protocol', 'websocket']])],
  ],
};

/** Lines that are left out, and bytes behind the end: what is forwarded is the request without them. */
const CLEANED: readonly (readonly [string, Buffer[]])[] = [
  ['more than its length', withLine('content-length', '5', 'hello', SMUGGLED)],
  ...named(
    ['X-A', 'x a', 'x-a:', 'x:a', '', 'x-a\r\nhost', 'x-a: 1\r\nx-b', 'x\0', 'x\xe4', 'transfer_encoding'],
    (name) => withLine(name, 'chunked', 'hello'),
  ),
  ...named(['a\r\nTransfer-Encoding: chunked', `a\r\n\r\n${SMUGGLED}`, 'a\nb', 'a\rb', 'a\0b'], (value) =>
    withLine('x-a', value, 'hello'),
  ),
];
const isFraming = (name: string): boolean => /^(?:content-length|transfer-encoding)$/i.test(name);
/** What an upstream was asked: line, names of headers, body. */
const told = ({ method, url, rawHeaders }: IncomingMessage, body: string): string => {
  const names = rawHeaders.filter((name, i) => i % 2 === 0 && !isFraming(name));
  return `${method} ${url} (${names.join(' ')}) ${body}`;
};

/** Frames that cost their sender nothing. */
const FLOODS: Readonly<Record<string, (id: number) => Buffer[]>> = {
  'streams that are reset at once': (id) => [
    frame(
      FRAME.headers,
      END_HEADERS | END_STREAM,
      id,
      block([[':method', 'TRACE'], SCHEME, AUTHORITY, PATH]),
    ),
    frame(FRAME.reset, 0, id, Buffer.from([0, 0, 0, 8])),
  ],
  'a head without end': (id) => [
    id === 1
      ? frame(FRAME.headers, END_STREAM, 1, block(HEAD))
      : frame(FRAME.continuation, 0, 1, block([[`x-${id}`, 'a'.repeat(2000)]])),
  ],
  'empty pieces of a head': (id) => [
    id === 1 ? frame(FRAME.headers, END_STREAM, 1, block(HEAD)) : frame(FRAME.continuation, 0, 1),
  ],
  'settings without end': () => [frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]))],
};
const FLOOD = 5000;

describe.each(ENGINES)('HTTP/2 by %s', (engine) => {
  forwardBy(engine);
  let upstream: Upstream;
  let world: EdgeWorld;
  const heard: string[] = [];
  let honest = '';
  const askHonestly = async (): Promise<void> => {
    const frames = post(HEAD, 'hello');
    expect((await sendFrames(tlsPort(world), frames, ({ ended }) => ended.length > 0)).passed).toEqual([1]);
  };
  beforeAll(async () => {
    upstream = await Upstream.start((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      incoming.once('end', () => heard.push(told(incoming, body)));
      echo(incoming, response);
    });
    world = await EdgeWorld.start(throughTo(upstream), TLS);
    await askHonestly();
    honest = heard[0] ?? '';
    expect(honest).toMatch(/^POST \/x .* hello$/);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  test.each(Object.entries(REFUSED))(
    'given %s that is none, then no upstream hears a request',
    async (_, cases) => {
      heard.length = 0;
      for (const [name, frames] of cases) {
        const { passed } = await sendFrames(tlsPort(world), frames, ({ ended }) => ended.length > 0);
        expect(passed, name).toEqual([]);
        expect(heard, name).toEqual([]);
      }
      await askHonestly();
      expect(heard).toEqual([honest]);
    },
  );

  test('given lines that are none, or more than was announced, then an upstream hears nothing, or the request without', async () => {
    heard.length = 0;
    for (const [name, frames] of CLEANED) {
      await sendFrames(tlsPort(world), frames, ({ ended }) => ended.length > 0);
      for (const one of heard) expect(one, name).toBe(honest);
    }
    await askHonestly();
    for (const one of heard) expect(one).toBe(honest);
  });

  test.each(Object.entries(FLOODS))(
    'given %s, then the connection is ended, and others are served',
    async (_, piece) => {
      const flood = function* () {
        for (let i = 0; i < FLOOD; i += 1) yield* piece(2 * i + 1);
      };
      await sendFrames(tlsPort(world), flood(), () => false);
      await askHonestly();
    },
  );
});
