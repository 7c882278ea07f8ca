import { TOKEN_ALGORITHMS } from '@sluice/contracts';
import { hasUniqueNames } from './unique-names.ts';

/** What Kong's `jwt` plugin verifies. `none` is not among them. */
export const ALGORITHMS = ['HS256', 'HS384', 'HS512', ...TOKEN_ALGORITHMS] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Token {
  /** As it came; the signature covers its text. */
  readonly text: string;
  readonly alg: Algorithm;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Why a token cannot be read, in Kong's words (kong-compat 4.1, step 4), and `crit`, which Kong does not look at. */
export type FormatProblem =
  | 'invalid JSON'
  | 'invalid alg'
  | 'invalid claims'
  | 'invalid signature'
  | 'invalid crit';

// A byte order mark is kept, so that JSON.parse refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A field's value, never one that an object inherits (`constructor` is a legal claim name). */
export const ownValue = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/**
 * Reads a compact JWS strictly: Buffer alone would take padding, foreign characters and spare bits, and one
 * credential would have many spellings.
 */
export const parseToken = (text: string): Token | FormatProblem => {
  const [header64, claims64, signature64, ...rest] = text.split('.');
  const header = jsonOf(header64);
  const claims = jsonOf(claims64);
  if (!isObject(header) || claims === undefined || signature64 === undefined) return 'invalid JSON';
  const alg = ALGORITHMS.find((known) => known === ownValue(header, 'alg'));
  if (alg === undefined) return 'invalid alg';
  // RFC 7515 section 4.1.11: an extension that is marked critical and not understood ends the verification.
  if (Object.hasOwn(header, 'crit')) return 'invalid crit';
  if (!isObject(claims)) return 'invalid claims';
  if (rest.length > 0 || bytesOf(signature64) === undefined) return 'invalid signature';
  return { text, alg, header, claims };
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined unless the text is exactly what encoding its bytes gives. */
const bytesOf = (base64url: string): Buffer | undefined => {
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes.toString('base64url') === base64url ? bytes : undefined;
};

const jsonOf = (base64url: string | undefined): unknown => {
  const bytes = base64url === undefined ? undefined : bytesOf(base64url);
  if (bytes === undefined) return undefined;
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return hasUniqueNames(text) ? value : undefined;
  } catch {
    return undefined; // not UTF-8, or not JSON
  }
};
