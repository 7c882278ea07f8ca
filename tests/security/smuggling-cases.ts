import { BAD_CHUNKS, ENCODINGS, LENGTHS, MALFORMED_LINES, STARTS } from './faulty-spellings.ts';

/** A request in pieces; `{id}` in any of them is replaced by the name of the case. */
export interface FramingCase {
  readonly name: string;
  /** Lines after `Host`, each with its own end. */
  readonly lines: string;
  /** What follows the head. */
  readonly body?: string;
  /** In place of the whole head's first lines, `{method}` and `{path}` filled in. */
  readonly start?: string;
  /** `refused`: 4xx and not a byte to the origin. Else: what the origin has to read as the one body. */
  readonly verdict: 'refused' | { readonly body: string };
}

const REFUSED = 'refused';
const HELLO = { body: 'hello' };
const NOTHING = { body: '' };
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const START = '{method} {path} HTTP/1.1\r\nHost: h.test\r\n';

const refused = (name: string, lines: string, body = ''): FramingCase => ({
  name,
  lines,
  body,
  verdict: REFUSED,
});
const passes = (
  name: string,
  lines: string,
  body: string,
  verdict: { readonly body: string },
): FramingCase => ({
  name,
  lines,
  body,
  verdict,
});

/** Dropped: no whole request may be made of them. */
const TRAILERS = [
  ...['Host: evil.test', 'Authorization: Bearer x'],
  ...[
    'Cookie: a=b',
    'X-Tenant-Id: evil',
    'X-Consumer-Id: evil',
    'Connection: close',
    'X-Forwarded-For: 1.1.1.1',
  ],
  ...['Content-Encoding: gzip', 'Expect: 100-continue', 'X-Ordinary: 1'],
];

/** Requests that stand for themselves, whatever the method of the table. */
const WHOLE: readonly FramingCase[] = [
  ...['get', 'Get', 'GeT', 'pOST', 'delete'].map((method) => ({
    ...refused(`method ${method}`, ''),
    start: `${method} {path} HTTP/1.1\r\nHost: h.test\r\n`,
  })),
  ...['TRACE', 'CONNECT', 'TRACK', 'DEBUG'].map((method) => ({
    ...refused(`method ${method}`, 'Connection: close\r\n'),
    start: `${method} {path} HTTP/1.1\r\nHost: h.test\r\n`,
  })),
  { ...refused('an HTTP/2 preface', ''), start: 'PRI * HTTP/2.0\r\n\r\nSM\r\n' },
  { ...refused('chunks in HTTP/1.0', CHUNKED, CHUNKS), start: START.replace('/1.1', '/1.0') },
  {
    ...refused('chunks in HTTP/1.0 that stay connected', `Connection: keep-alive\r\n${CHUNKED}`, CHUNKS),
    start: START.replace('/1.1', '/1.0'),
  },
  {
    ...passes('a length in HTTP/1.0', 'Content-Length: 5\r\n', 'hello', HELLO),
    start: START.replace('/1.1', '/1.0'),
  },
  {
    ...passes('the same host in the target', 'Content-Length: 5\r\n', 'hello', HELLO),
    start: '{method} http://h.test{path} HTTP/1.1\r\nHost: h.test\r\n',
  },
  {
    ...passes('two blanks after the method, one to the origin', 'Content-Length: 5\r\n', 'hello', HELLO),
    start: '{method}  {path} HTTP/1.1\r\nHost: h.test\r\n',
  },
];

const PASSING: readonly FramingCase[] = [
  passes('no body', '', '', NOTHING),
  passes('a length', 'Content-Length: 5\r\n', 'hello', HELLO),
  passes('a length of nothing', 'Content-Length: 0\r\n', '', NOTHING),
  passes('a length in another case, without a blank', 'cOnTeNt-LeNgTh:5\r\n', 'hello', HELLO),
  passes('a length between blanks and tabs', 'Content-Length: \t 5 \t\r\n', 'hello', HELLO),
  passes('chunks', CHUNKED, CHUNKS, HELLO),
  passes('chunks in another case', 'tRANSFER-eNCODING: cHUNKED\r\n', CHUNKS, HELLO),
  passes('chunks after a tab', 'Transfer-Encoding:\tchunked\r\n', CHUNKS, HELLO),
  passes('chunks of several sizes', CHUNKED, '1\r\nh\r\n004\r\nello\r\n000\r\n\r\n', HELLO),
  passes('no chunk but the last', CHUNKED, '0\r\n\r\n', NOTHING),
  passes('a chunk extension', CHUNKED, '5;a=b\r\nhello\r\n0;c\r\n\r\n', HELLO),
  passes('a quoted chunk extension', CHUNKED, '5;a="b;c"\r\nhello\r\n0\r\n\r\n', HELLO),
  passes('a request as a chunk', CHUNKED, '1a\r\nGET /smuggled-x HTTP/1.1\r\n\r\n0\r\n\r\n', {
    body: 'GET /smuggled-x HTTP/1.1\r\n',
  }),
  passes('Expect: 100-continue', 'Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello', HELLO),
  passes(
    'h2c asked for',
    'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n',
    '',
    NOTHING,
  ),
  passes(
    'h2c asked for with a body',
    `Connection: close, Upgrade\r\nUpgrade: h2c\r\n${CHUNKED}`,
    CHUNKS,
    HELLO,
  ),
  ...TRAILERS.map((trailer) =>
    passes(`trailer ${trailer}`, CHUNKED, `5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`, HELLO),
  ),
];

/** Two frames, or one and what some server takes for another. */
const CLASHES: readonly FramingCase[] = [
  refused('a length, then chunks', `Content-Length: 5\r\n${CHUNKED}`, CHUNKS),
  refused('chunks, then a length', `${CHUNKED}Content-Length: 5\r\n`, CHUNKS),
  refused('chunks and a length of nothing', `${CHUNKED}Content-Length: 0\r\n`, CHUNKS),
  refused('chunks twice', `${CHUNKED}${CHUNKED}`, CHUNKS),
  refused('chunks, then identity', `${CHUNKED}Transfer-Encoding: identity\r\n`, CHUNKS),
  refused('identity, then chunks', `Transfer-Encoding: identity\r\n${CHUNKED}`, CHUNKS),
  refused('chunks and x', `Transfer-Encoding: x\r\n${CHUNKED}`, CHUNKS),
  refused('the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  refused('two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  refused('two lengths in two cases', 'Content-Length: 0\r\ncontent-length: 5\r\n', 'hello'),
  refused('Content_Length', 'Content_Length: 5\r\n', 'hello'),
  refused('Content_Length beside the length', 'Content-Length: 5\r\nContent_Length: 0\r\n', 'hello'),
  refused('Transfer_Encoding', 'Transfer_Encoding: chunked\r\n', CHUNKS),
  refused(
    'Transfer_Encoding beside a length',
    'Content-Length: 5\r\nTransfer_Encoding: chunked\r\n',
    'hello',
  ),
];

const REFUSALS: readonly FramingCase[] = [
  ...CLASHES,
  ...ENCODINGS.map((value) =>
    refused(`Transfer-Encoding ${JSON.stringify(value)}`, `Transfer-Encoding: ${value}\r\n`, CHUNKS),
  ),
  ...LENGTHS.map((value) =>
    refused(`Content-Length ${JSON.stringify(value)}`, `Content-Length: ${value}\r\n`, 'hello'),
  ),
  ...MALFORMED_LINES.map(([name, lines]) => refused(name, lines, CHUNKS)),
  // The parser itself stops at these, behind a body that has passed: no request of it may become whole.
  refused('trailer Content-Length', CHUNKED, '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'),
  refused('trailer Transfer-Encoding', CHUNKED, '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ...BAD_CHUNKS.map(([name, body]) => refused(`chunk: ${name}`, CHUNKED, body)),
  ...STARTS.map(([name, start]) => ({ ...refused(`start: ${name}`, ''), start })),
];

export const FRAMING_CASES: readonly FramingCase[] = [...PASSING, ...REFUSALS, ...WHOLE];

/** What methods could differ in: which bodies they may have, and what frames them. */
export const CORE_CASES: readonly FramingCase[] = [...PASSING, ...CLASHES];

/** A case as bytes. One that passes closes its connection, so that what follows is nobody's request. */
export const bytesOf = (framing: FramingCase, method: string, path: string): string => {
  const start = (framing.start ?? START).replace('{method}', method).replace('{path}', path);
  const close = framing.verdict === 'refused' ? '' : 'Connection: close\r\n';
  const isHead = framing.lines.toLowerCase().includes('connection:');
  return `${start}${isHead ? '' : close}${framing.lines}\r\n${framing.body ?? ''}`;
};
