import { isRecord } from '../path.ts';

const SECRET_NAME =
  /(?:password|secret|private_key|passphrase|token|api_?key|authorization|header_value)s?$/i;
/** Fields whose name does not say that they are secret. */
const SECRET_FIELDS: Readonly<Record<string, readonly string[]>> = {
  keyauth_credentials: ['key'],
  certificates: ['key', 'key_alt'],
  keys: ['jwk'],
};
const REDACTED = '[redacted]';

const redact = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redact);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactField(key, item)]));
};

const redactField = (key: string, value: unknown): unknown => {
  if (!SECRET_NAME.test(key)) return redact(value);
  return typeof value === 'string' && !value.startsWith('{vault://') ? REDACTED : redact(value);
};

/** The entity without its secrets; vault references stay, they hold none. */
export const redactEntity = (
  kind: string,
  entity: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const result = redact(entity) as Record<string, unknown>;
  for (const field of SECRET_FIELDS[kind] ?? [])
    if (typeof result[field] === 'string') result[field] = REDACTED;
  return result;
};

/** True where a message must not quote the field's value. */
export const isSecretField = (kind: string, field: string): boolean =>
  SECRET_NAME.test(field) || (SECRET_FIELDS[kind]?.includes(field) ?? false);
