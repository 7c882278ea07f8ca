import { CENSOR, isSecretName, withoutSecretText } from '@sluice/contracts';
import { isRecord } from '../path.ts';

/** Fields whose name does not say that they are secret. */
const SECRET_FIELDS: Readonly<Record<string, readonly string[]>> = {
  keyauth_credentials: ['key'],
  certificates: ['key', 'key_alt'],
  keys: ['jwk'],
};

/** A reference says where a secret is kept, and is none. */
const isReference = (text: string): boolean => text.startsWith('{vault://');

const redact = (value: unknown, isSecret: boolean): unknown => {
  if (typeof value === 'string')
    return isReference(value) ? value : isSecret ? CENSOR : withoutSecretText(value);
  if (Array.isArray(value)) return value.map((item) => redact(item, isSecret));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redact(item, isSecret || isSecretName(key))]),
  );
};

/** The entity without its secrets; vault references stay, they hold none. */
export const redactEntity = (
  kind: string,
  entity: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const result = redact(entity, false) as Record<string, unknown>;
  for (const field of SECRET_FIELDS[kind] ?? [])
    if (typeof result[field] === 'string' && !isReference(result[field])) result[field] = CENSOR;
  return result;
};

/** True where a message must not quote the field's value. */
export const isSecretField = (kind: string, field: string): boolean =>
  isSecretName(field) || (SECRET_FIELDS[kind]?.includes(field) ?? false);
