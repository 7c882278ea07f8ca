import { CENSOR, isSecretName, withoutSecretText } from '@sluice/contracts';

/**
 * What may not reach a log is taken out by one walk over each line's fields. The logger's own redaction by paths
 * costs fifteen times the line itself (81 µs against 5 µs; this walk adds 0.6 µs) and knows neither depth nor case.
 */
const MAX_DEPTH = 6;
const MAX_CAUSES = 5;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The same fields without the values of those named like a secret, without logins and tokens in any text, and with
 * errors in the log's own form.
 */
export const redacted = <T extends object>(fields: T): T => withoutSecrets(fields, 0) as T;

const withoutSecrets = (value: object, depth: number): unknown => {
  if (depth > MAX_DEPTH) return '[too deep]';
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const field = (value as Fields)[name];
    const shown = isCensored(name, field) ? CENSOR : shownOf(field, depth);
    if (shown === field) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[name] = shown;
  }
  return copy ?? value;
};

const isCensored = (name: string, field: unknown): boolean =>
  (typeof field === 'string' || (typeof field === 'object' && field !== null)) && isSecretName(name);

const shownOf = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return withoutSecretText(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return errorOf(value, 0);
  if (ArrayBuffer.isView(value) || 'toJSON' in value) return value; // a date, an address: it writes itself
  return withoutSecrets(value, depth + 1);
};

/** An error's other fields may hold a command, an address with a password, or a message: they are left out. */
const errorOf = (error: Error, depth: number): Fields => {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message: withoutSecretText(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(stack === undefined ? {} : { stack: withoutSecretText(stack) }),
    ...(cause instanceof Error && depth < MAX_CAUSES ? { cause: errorOf(cause, depth + 1) } : {}),
  };
};
