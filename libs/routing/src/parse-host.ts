import { isIPv6 } from 'node:net';

export interface HostAndPort {
  /** Lower-case, without the dot that may end a full domain name; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

const MAX_HOST_CHARACTERS = 255; // RFC 1035 section 2.3.4; also bounds the look-up of wildcards
const LABELS = /^[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?$/i;
const DIGITS = /^\d{0,5}$/;
const MAX_PORT = 65_535;

/**
 * Reads a `Host` header (or the authority of an absolute-form target). Undefined: its syntax is bad and the
 * request must be refused, because what stands behind us might read another host out of it.
 */
export const parseHost = (header: string): HostAndPort | undefined => {
  if (header.startsWith('[')) return parseAddress(header);
  const colon = header.indexOf(':');
  const name = colon < 0 ? header : header.slice(0, colon);
  if (name.length > MAX_HOST_CHARACTERS || !LABELS.test(name)) return undefined;
  const host = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  return colon < 0 ? { host, port: undefined } : withPort(host, header.slice(colon + 1));
};

const parseAddress = (header: string): HostAndPort | undefined => {
  const end = header.indexOf(']');
  const address = header.slice(1, end);
  if (end < 0 || address.includes('%') || !isIPv6(address)) return undefined;
  const host = `[${address.toLowerCase()}]`;
  if (end === header.length - 1) return { host, port: undefined };
  return header[end + 1] === ':' ? withPort(host, header.slice(end + 2)) : undefined;
};

/** RFC 9110 section 4.2.1 allows an empty port; it means the default one. */
const withPort = (host: string, digits: string): HostAndPort | undefined => {
  if (!DIGITS.test(digits) || Number(digits) > MAX_PORT) return undefined;
  return { host, port: digits === '' ? undefined : Number(digits) };
};
