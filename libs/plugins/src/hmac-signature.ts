import type { HMAC_ALGORITHMS } from '@sluice/contracts';
import { fromByteString } from './byte-string.ts';
import type { Exchange } from './exchange.ts';

export type HmacAlgorithm = (typeof HMAC_ALGORITHMS)[number];

/** What the header says about a signature. */
export interface HmacParams {
  readonly username: string;
  readonly algorithm: string;
  /** Names of what was signed, in order. */
  readonly signed: readonly string[];
  /** Base64. */
  readonly signature: string;
}

const PARAMS =
  /[Hh]mac\s*username="([^"]+)",\s*algorithm="([^"]+)",\s*headers="([^"]+)",\s*signature="([^"]+)"/;

/** Reads `hmac username="…", algorithm="…", headers="…", signature="…"`. */
export const parseHmacParams = (header: string | undefined): HmacParams | undefined => {
  const [, username, algorithm, headers, signature] = PARAMS.exec(header ?? '') ?? [];
  if (!username || !algorithm || !headers || !signature) return undefined;
  const signed = headers.split(' ').filter((name) => name !== '');
  return { username: fromByteString(username), algorithm, signed, signature };
};

/** The target as nginx shows it: raw, with its query, without scheme and host of the absolute form. */
const targetOf = ({ rawTarget }: Exchange): string =>
  /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*(.*)$/s.exec(rawTarget)?.[1] || rawTarget;

/** The text that the signature was made over, line by line as the client named them. */
export const signingStringOf = (exchange: Exchange, signed: readonly string[]): string => {
  const target = targetOf(exchange);
  const { method, httpVersion = '1.1', fromClient } = exchange;
  const lines = signed.map((name) => {
    const value = fromClient.get(name);
    if (value !== undefined) return `${name}: ${value}`;
    if (name === 'request-line') return `${method} ${target} HTTP/${httpVersion}`;
    return name === '@request-target' ? `${name}: ${method.toLowerCase()} ${target}` : `${name}:`;
  });
  return fromByteString(lines.join('\n'));
};

const DAY_NAME = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
/** RFC 9110 section 5.6.7: the form in use, and two that are obsolete but must be read. */
const IMF_FIXDATE = new RegExp(`^${DAY_NAME}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT$`);
const RFC_850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = new RegExp(`^${DAY_NAME} [A-Z][a-z]{2} [ \\d]\\d \\d{2}:\\d{2}:\\d{2} \\d{4}$`);

/** A date of HTTP in Unix ms. */
const parseHttpDate = (text: string): number | undefined => {
  const isKnown = IMF_FIXDATE.test(text) || RFC_850.test(text);
  const ms = isKnown ? Date.parse(text) : ASCTIME.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
};

/** Whether the request says it was made within so many seconds of now, in `X-Date` or `Date`. */
export const isWithinSkew = ({ fromClient, startedAt }: Exchange, skewSeconds: number): boolean =>
  ['X-Date', 'Date'].some((name) => {
    const ms = parseHttpDate(fromClient.get(name) ?? '');
    return ms !== undefined && Math.abs(Math.floor(startedAt / 1000) - ms / 1000) <= skewSeconds;
  });
