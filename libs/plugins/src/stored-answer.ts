import type { Exchange, UpstreamAnswer } from './exchange.ts';
import type { StoredAnswer } from './ports.ts';

type Line = readonly [name: string, value: string];

/** They speak of one connection or of the message's own form (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'content-length',
]);
/** nginx's commands, and limits that were another request's. */
const NOT_REPEATED = /^x-accel-|ratelimit-remaining/i;

const linesOf = ({ rawHeaders = [] }: UpstreamAnswer): Line[] => {
  const lines: Line[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    lines.push([(rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string]);
  return lines;
};

/** The upstream's own headers, lower-case; values of a name that came more than once are joined. */
export const upstreamHeaders = (upstream: UpstreamAnswer): ReadonlyMap<string, string> => {
  const headers = new Map<string, string>();
  for (const [name, value] of linesOf(upstream)) {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
};

/** What may be said again of an answer's head. Only for HEAD the length is no matter of the body. */
export const keptLines = (upstream: UpstreamAnswer, method: string): readonly Line[] => {
  const { rawHeaders = [] } = upstream;
  const nominated = new Set(
    (upstreamHeaders(upstream).get('connection') ?? '').toLowerCase().split(/\s*,\s*/),
  );
  return linesOf(upstream)
    .map(([name, value], i): Line => [rawHeaders[i * 2] ?? name, value])
    .filter(([name]) => {
      const key = name.toLowerCase();
      if (key === 'content-length') return method === 'HEAD';
      return !HOP_BY_HOP.has(key) && !nominated.has(key) && !NOT_REPEATED.test(key);
    });
};

/**
 * The request's headers that the answer depends on, with their values: what `Vary` names, and Accept-Encoding
 * where the body is encoded. Another client may need another answer.
 */
export const askedWith = ({ toUpstream }: Exchange, upstream: UpstreamAnswer): readonly Line[] => {
  const headers = upstreamHeaders(upstream);
  const named = (headers.get('vary') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const encoded = headers.has('content-encoding') ? ['accept-encoding'] : [];
  return [...new Set([...named, ...encoded])]
    .filter((name) => name !== '')
    .map((name) => [name, toUpstream.getAll(name).join(', ')]);
};

/** A stored head for this request: what the chain said about this request stands over it. */
export const answerLines = ({ toClient }: Exchange, { headers }: StoredAnswer): readonly Line[] => {
  const said = new Set([...toClient.entries()].map(([name]) => name.toLowerCase()));
  return headers.filter(([name]) => !said.has(name.toLowerCase()));
};
