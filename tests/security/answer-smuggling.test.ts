import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BAD_CHUNKS, ENCODINGS, LENGTHS, MALFORMED_LINES } from './faulty-spellings.ts';
import { ScriptOrigin } from './script-origin.ts';
import { parseAnswers } from './strict-answers.ts';
import { ENGINES, type EngineName, World } from './world.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
/** Behind every faulty answer: whoever reads that one to another end takes this for the next one. */
const POISON = 'HTTP/1.1 200 OK\r\nX-Poison: 1\r\nContent-Length: 6\r\n\r\npoison';

interface AnswerCase {
  readonly name: string;
  readonly head: string;
  readonly body: string;
}
const answer = (name: string, lines: string, body: string, start = 'HTTP/1.1 200 OK'): AnswerCase => ({
  ...{ name, body },
  head: `${start}\r\n${lines}\r\n`,
});

/** The forms of the requests' tables, the other way round, and what only answers have. */
const CASES: readonly AnswerCase[] = [
  ...ENCODINGS.map((value) =>
    answer(`Transfer-Encoding ${JSON.stringify(value)}`, `Transfer-Encoding: ${value}\r\n`, CHUNKS),
  ),
  ...ENCODINGS.map((value) =>
    answer(
      `a length and Transfer-Encoding ${JSON.stringify(value)}`,
      `Content-Length: 5\r\nTransfer-Encoding: ${value}\r\n`,
      'hello',
    ),
  ),
  ...LENGTHS.map((value) =>
    answer(`Content-Length ${JSON.stringify(value)}`, `Content-Length: ${value}\r\n`, 'hello'),
  ),
  ...MALFORMED_LINES.map(([name, lines]) => answer(name, `Content-Length: 5\r\n${lines}`, 'hello')),
  ...BAD_CHUNKS.map(([name, body]) => answer(`chunk: ${name}`, CHUNKED, body)),
  answer('a length, then chunks', `Content-Length: 5\r\n${CHUNKED}`, CHUNKS),
  answer('chunks, then a length', `${CHUNKED}Content-Length: 5\r\n`, CHUNKS),
  answer('chunks and a length of nothing', `${CHUNKED}Content-Length: 0\r\n`, CHUNKS),
  answer('chunks twice', `${CHUNKED}${CHUNKED}`, CHUNKS),
  answer('chunks, then identity', `${CHUNKED}Transfer-Encoding: identity\r\n`, CHUNKS),
  answer('identity, then chunks', `Transfer-Encoding: identity\r\n${CHUNKED}`, CHUNKS),
  answer('the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  answer('two lengths', 'Content-Length: 5\r\nContent-Length: 60\r\n', 'hello'),
  answer('two lengths in two cases', 'Content-Length: 0\r\ncontent-length: 5\r\n', 'hello'),
  answer('Content_Length beside the length', 'Content-Length: 5\r\nContent_Length: 0\r\n', 'hello'),
  answer('Transfer_Encoding beside a length', 'Content-Length: 5\r\nTransfer_Encoding: chunked\r\n', 'hello'),
  answer('Connection names the length', 'Content-Length: 5\r\nConnection: Content-Length\r\n', 'hello'),
  answer('Connection names the encoding', `${CHUNKED}Connection: Transfer-Encoding\r\n`, CHUNKS),
  answer('a chunk with an extension', CHUNKED, '5;a=b\r\nhello\r\n0;c\r\n\r\n'),
  answer('chunks in HTTP/1.0', CHUNKED, CHUNKS, 'HTTP/1.0 200 OK'),
  answer('a length in HTTP/1.0', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.0 200 OK'),
  answer('204 with a length', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 204 No Content'),
  answer('204 in chunks', CHUNKED, CHUNKS, 'HTTP/1.1 204 No Content'),
  answer('304 with a length', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 304 Not Modified'),
  answer('304 in chunks', CHUNKED, CHUNKS, 'HTTP/1.1 304 Not Modified'),
  answer('205 with a length', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 205 Reset Content'),
  answer('100 with a length', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 100 Continue'),
  answer('103 with a length', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 103 Early Hints'),
  answer('a reason with CR', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 200 O\rK'),
  answer('a reason with LF', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 200 OK\nX-A: 1'),
  answer('a status line that ends with LF', '', 'hello', 'HTTP/1.1 200 OK\nContent-Length: 5'),
  answer('a blank before the version', 'Content-Length: 5\r\n', 'hello', ' HTTP/1.1 200 OK'),
  answer('an empty line before the answer', 'Content-Length: 5\r\n', 'hello', '\r\nHTTP/1.1 200 OK'),
  answer('a version in lower case', 'Content-Length: 5\r\n', 'hello', 'http/1.1 200 OK'),
  answer('a status of four digits', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 2000 OK'),
  answer('a signed status', 'Content-Length: 5\r\n', 'hello', 'HTTP/1.1 +20 OK'),
];

let world: World;
let origin: ScriptOrigin;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  origin = await ScriptOrigin.start(({ socket }, head) => {
    const found = /^\S+ \/case-(\d+)-/.exec(head)?.[1];
    const faulty = found === undefined ? undefined : CASES[Number(found)];
    if (faulty === undefined) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
    else socket.end(faulty.head + faulty.body + POISON, 'latin1');
  });
  const over = { port: origin.port, read_timeout: 3000, retries: 0 };
  await world.load({ services: [world.service('script', [{ paths: ['/'], strip_path: false }], over)] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** A request of the case and one behind it, on one connection; what came until it was closed. */
const both = (engine: EngineName, at: number, method: string): Promise<string> => {
  const id = `${at}-${++serial}`;
  const length = method === 'GET' || method === 'HEAD' ? '' : 'Content-Length: 0\r\n';
  return world.send(
    engine,
    `${method} /case-${id} HTTP/1.1\r\nHost: h.test\r\n${length}\r\n` +
      `GET /next-${id} HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n`,
  );
};

/** An honest error, half an answer that the client knows to be half, or one clean answer; then the next one. */
const judge = (text: string, method: string, body: string): void => {
  const what = `${method}: ${JSON.stringify(text.slice(0, 600))}`;
  const answers = parseAnswers(text, [method, 'GET']);
  if ('fault' in answers) throw new Error(`${answers.fault} in ${what}`);
  const [first, second] = answers;
  if (first === undefined) throw new Error(`no answer at all in ${what}`);
  expect(
    first.lines.map(([name]) => name.toLowerCase()),
    what,
  ).not.toContain('x-poison');
  if (first.isWhole && first.status < 500) {
    const hasNone = method === 'HEAD' || first.status === 204 || first.status === 304;
    // An answer without a usable frame ends where its connection does, and so holds all that came.
    expect(hasNone ? [''] : ['hello', body + POISON], what).toContain(first.body);
  }
  if (second !== undefined) expect([second.status, second.body], what).toEqual([200, 'fine']);
  else if (first.isWhole) expect(first.lines, what).toContainEqual(['Connection', 'close']);
};

describe.each(ENGINES)('by %s', (engine) => {
  test.each(CASES.map((one, at) => [one.name, one, at] as const))(
    'given an answer with %s, then an honest error or one clean answer, and the next one is the next request’s',
    async (_name, { body }, at) => {
      await Promise.all(METHODS.map(async (method) => judge(await both(engine, at, method), method, body)));
    },
  );
});

/** What a trailer may not say: where a message ends, whose it is, what becomes of it (RFC 9110 section 6.5.1). */
const FORBIDDEN_TRAILERS = [
  ...['Content-Length: 9', 'Transfer-Encoding: chunked', 'Connection: close', 'Host: evil.test'],
  ...['Set-Cookie: a=b', 'Content-Type: text/html', 'Content-Encoding: gzip', 'Location: http://evil.test/'],
  ...['WWW-Authenticate: Basic', 'Cache-Control: public', 'Authorization: Bearer x', 'Trailer: X-B'],
  ...['X-Kong-Request-Id: forged', 'Access-Control-Allow-Origin: *', 'Strict-Transport-Security: max-age=0'],
];

describe.each(ENGINES)('trailers of an answer, by %s', (engine) => {
  const trailersFor = async (te: string, trailer: string): Promise<string> => {
    const script = await ScriptOrigin.start(({ socket }) => {
      socket.end(
        `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n5\r\nhello\r\n0\r\n${trailer}\r\nX-Sum: 7\r\n\r\n`,
        'latin1',
      );
    });
    await using _closing = script;
    const over = { port: script.port, retries: 0 };
    await world.load({ services: [world.service('t', [{ paths: ['/'], strip_path: false }], over)] });
    const head = `GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n${te}\r\n`;
    return await world.send(engine, head); // while there is an origin
  };

  test.each(FORBIDDEN_TRAILERS)(
    'given %s, then no client takes it for a header, and an ordinary one is handed on to who asked',
    async (trailer) => {
      const asked = await trailersFor('TE: trailers\r\n', trailer);
      const [, trailers = ''] = asked.split('\r\n0\r\n');
      expect(trailers.toLowerCase()).not.toContain((trailer.split(':')[0] ?? '').toLowerCase());
      // The parser itself stops at a frame in a trailer: then the client sees that the answer is not whole.
      if (asked.includes('\r\n0\r\n')) expect(trailers).toMatch(/^X-Sum: 7\r\n/i);
      else expect(trailer, asked).toMatch(/^(?:Content-Length|Transfer-Encoding)/);
      expect(await trailersFor('', trailer)).not.toContain('X-Sum');
    },
  );
});
