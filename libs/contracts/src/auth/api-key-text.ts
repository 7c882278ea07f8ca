import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Finds a key in leaked text, and tells it from a consumer's. */
const PREFIX = 'slk_';
const ID_BYTES = 12;
const SECRET_BYTES = 32;
const TAG_CHARS = 8; // 48 bits: enough that a guess costs no look-up
const KEY = /^slk_([0-9a-f]{24})_[A-Za-z0-9_-]{51}$/;

const digest = (pepper: string, what: 'tag' | 'key', text: string): Buffer =>
  createHmac('sha256', pepper).update(`${what}:${text}`).digest();
const tagOf = (pepper: string, body: string): string =>
  digest(pepper, 'tag', body).toString('base64url').slice(0, TAG_CHARS);

/** True for text that claims to be a tenant's API key. */
export const looksLikeApiKey = (text: string): boolean => text.startsWith(PREFIX);

/** What is stored of a key: SHA-256 with the server's pepper, in hex. */
export const apiKeyHash = (key: string, pepper: string): string => digest(pepper, 'key', key).toString('hex');

/** A new key with 256 bits of randomness: its id, and the text that is shown once. */
export const createApiKey = (pepper: string): { readonly id: string; readonly text: string } => {
  const id = randomBytes(ID_BYTES).toString('hex');
  const body = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, text: body + tagOf(pepper, body) };
};

/** The id in a key's text; undefined when this server never made it. */
export const apiKeyIdIn = (text: string, pepper: string): string | undefined => {
  const id = KEY.exec(text)?.[1];
  if (id === undefined) return undefined;
  const body = text.slice(0, -TAG_CHARS);
  const isOurs = timingSafeEqual(Buffer.from(text.slice(-TAG_CHARS)), Buffer.from(tagOf(pepper, body)));
  return isOurs ? id : undefined;
};
