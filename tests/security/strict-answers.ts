import { readChunks, readFields } from './strict-parser.ts';

/** An answer as a client reads it that knows one spelling of everything. */
export interface StrictAnswer {
  readonly status: number;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** False: the connection ended in the middle, and the client sees that. */
  readonly isWhole: boolean;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-9]\d\d) [\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^(?:0|[1-9]\d{0,15})$/;

/**
 * Reads all that came on a connection which is closed by now, for requests of these methods. What two clients could
 * read in two ways is a fault, also bytes for which nobody asked.
 */
export const parseAnswers = (
  bytes: string,
  methods: readonly string[],
): readonly StrictAnswer[] | { readonly fault: string } => {
  const answers: StrictAnswer[] = [];
  let rest = bytes;
  for (const method of methods) {
    const read = readAnswer(rest, method);
    if ('fault' in read) return read;
    if (read.answer === undefined) break;
    answers.push(read.answer);
    rest = read.rest;
    if (!read.answer.isWhole) break;
  }
  return rest === '' ? answers : { fault: `${JSON.stringify(rest.slice(0, 100))} behind the answers` };
};

type Read = { readonly answer: StrictAnswer | undefined; readonly rest: string } | { readonly fault: string };

const readAnswer = (bytes: string, method: string): Read => {
  if (bytes === '') return { answer: undefined, rest: '' };
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { answer: { status: 0, lines: [], body: bytes, isWhole: false }, rest: '' };
  const [first = '', ...fields] = bytes.slice(0, end).split('\r\n');
  const status = Number(STATUS_LINE.exec(first)?.[1] ?? 0);
  if (status === 0) return { fault: `status line ${JSON.stringify(first)}` };
  const lines = readFields(fields);
  if ('fault' in lines) return lines;
  const rest = bytes.slice(end + 4);
  if (status < 200) return readAnswer(rest, method);
  return readBody({ status, lines }, rest, method);
};

const readBody = (head: Pick<StrictAnswer, 'status' | 'lines'>, bytes: string, method: string): Read => {
  const valuesOf = (name: string) =>
    head.lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const [lengths, encodings] = [valuesOf('content-length'), valuesOf('transfer-encoding')];
  if (lengths.length + encodings.length > 1) return { fault: 'framed twice' };
  const [length] = lengths;
  if (length !== undefined && !LENGTH.test(length)) return { fault: `Content-Length ${length}` };
  if (head.status === 204 && lengths.length + encodings.length > 0) return { fault: 'a framed 204' };
  if (method === 'HEAD' || head.status === 204 || head.status === 304)
    return { answer: { ...head, body: '', isWhole: true }, rest: bytes };
  if (encodings.length === 1) {
    if (encodings[0] !== 'chunked') return { fault: `Transfer-Encoding ${JSON.stringify(encodings[0])}` };
    const read = readChunks(bytes);
    if (read.kind === 'fault') return read;
    const isWhole = read.kind === 'whole';
    return {
      answer: { ...head, body: isWhole ? read.body : bytes, isWhole },
      rest: isWhole ? read.rest : '',
    };
  }
  if (length === undefined) return { answer: { ...head, body: bytes, isWhole: true }, rest: '' };
  const body = bytes.slice(0, Number(length));
  const isWhole = body.length === Number(length);
  return { answer: { ...head, body, isWhole }, rest: bytes.slice(body.length) };
};
