/** A request as a parser reads it that knows one spelling of everything. */
export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  /** As they came. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export type Parsed =
  | { readonly kind: 'whole'; readonly request: StrictRequest; readonly rest: string }
  | { readonly kind: 'partial' }
  | { readonly kind: 'fault'; readonly fault: string };

const REQUEST_LINE = /^([A-Z]+(?:-[A-Z]+)*) (\/[\x21-\x7e\x80-\xff]*) HTTP\/1\.1$/;
const FIELD =
  /^([A-Za-z0-9!#$%&'*+.^_`|~-]+): ?((?:[\x21-\x7e\x80-\xff](?:[\x20\t\x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;
const LENGTH = /^(?:0|[1-9]\d{0,15})$/;
const CHUNK_SIZE = /^[0-9a-fA-F]{1,8}$/;

const fault = (text: string) => ({ kind: 'fault', fault: text }) as const;
const PARTIAL = { kind: 'partial' } as const;

/**
 * Reads the first request of a byte stream, one character a byte. What any two servers could read in two ways is a
 * fault: this is the judge of what a gateway may send.
 */
export const parseStrictly = (bytes: string): Parsed => {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return /(?<!\r)\n|\r(?!\n)./s.test(bytes) ? fault('bare CR or LF') : PARTIAL;
  const [first = '', ...rest] = bytes.slice(0, end).split('\r\n');
  const start = REQUEST_LINE.exec(first);
  if (start === null) return fault(`request line ${JSON.stringify(first)}`);
  const lines = readFields(rest);
  if ('fault' in lines) return lines;
  const valuesOf = (name: string) => lines.filter(([key]) => key.toLowerCase() === name).map(([, v]) => v);
  const head = { method: start[1] as string, target: start[2] as string, lines };
  if (valuesOf('host').length !== 1) return fault(`${valuesOf('host').length} Host lines`);
  return readBody(head, valuesOf, bytes.slice(end + 4));
};

/** Header lines without their ends. */
export const readFields = (
  texts: readonly string[],
): [string, string][] | { readonly kind: 'fault'; readonly fault: string } => {
  const lines: [string, string][] = [];
  for (const line of texts) {
    const field = FIELD.exec(line);
    if (field === null) return { kind: 'fault', fault: `header line ${JSON.stringify(line)}` };
    lines.push([field[1] as string, field[2] as string]);
  }
  return lines;
};

const readBody = (
  head: Omit<StrictRequest, 'body'>,
  valuesOf: (name: string) => string[],
  bytes: string,
): Parsed => {
  const lengths = valuesOf('content-length');
  const encodings = valuesOf('transfer-encoding');
  if (lengths.length + encodings.length > 1) return fault('framed twice');
  if (encodings.length === 1) {
    if (encodings[0] !== 'chunked') return fault(`Transfer-Encoding ${JSON.stringify(encodings[0])}`);
    const read = readChunks(bytes);
    if (read.kind !== 'whole') return read;
    return { kind: 'whole', request: { ...head, body: read.body }, rest: read.rest };
  }
  const [length = '0'] = lengths;
  if (!LENGTH.test(length)) return fault(`Content-Length ${JSON.stringify(length)}`);
  if (bytes.length < Number(length)) return PARTIAL;
  const request = { ...head, body: bytes.slice(0, Number(length)) };
  return { kind: 'whole', request, rest: bytes.slice(Number(length)) };
};

type Chunks =
  | { readonly kind: 'whole'; readonly body: string; readonly rest: string }
  | Exclude<Parsed, { kind: 'whole' }>;

/** A body in chunks, without trailers. */
export const readChunks = (bytes: string): Chunks => {
  let body = '';
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return PARTIAL;
    const size = bytes.slice(at, end);
    if (!CHUNK_SIZE.test(size)) return fault(`chunk size ${JSON.stringify(size)}`);
    const length = Number.parseInt(size, 16);
    const after = end + 2 + length;
    if (bytes.length < after + 2) return PARTIAL;
    if (bytes.slice(after, after + 2) !== '\r\n')
      return fault(length === 0 ? 'trailers' : 'a chunk longer than its size');
    body += bytes.slice(end + 2, after);
    at = after + 2;
    if (length === 0) return { kind: 'whole', body, rest: bytes.slice(at) };
  }
};
