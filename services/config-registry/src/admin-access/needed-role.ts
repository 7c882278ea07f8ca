import type { Role } from './admin-tokens.ts';

/** Answers that hold credentials in plain text, as Kong gives them, and whole configurations. */
const SHOWS_SECRETS =
  /^\/(?:config|certificates|ca_certificates|services\/[^/]+\/client_certificate|(?:key|basic|hmac)-auths|jwts|oauth2|keys|key-sets|vaults)(?:\/|$)|^\/consumers\/[^/]+\/(?:key-auth|basic-auth|hmac-auth|jwt|oauth2)(?:\/|$)|^\/sluice\/history\/[^/]+\/config(?:\/|$)/;
/** Whose changes are about who may call. */
const CREDENTIALS = /^\/sluice\/(?:keys|revocations)(?:\/|$)/;
/** Takes the spans of processes, which should not hold the right to change anything. */
const SPANS = '/v1/traces';

/** The least role for a request. `path`: the one the router found, or what was asked, without its query. */
export const neededRole = (method: string, path: string): Role => {
  // What leads nowhere may be written in any way: it must not need less than what it is like.
  const read = readPath(path);
  if (read === undefined) return 'admin';
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
    return SHOWS_SECRETS.test(read) ? 'operator' : 'viewer';
  if (method === 'POST' && read === SPANS) return 'viewer';
  return CREDENTIALS.test(read) ? 'admin' : 'operator';
};

const readPath = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
};
