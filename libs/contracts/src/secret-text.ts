/**
 * What counts as a secret, for everything that writes something down: logs, the audit, events, error messages. One
 * rule for names, one for what stands in a text.
 */
const SECRET_NAME =
  /(?:passw(?:or)?d|secret|private[-_]?key|passphrase|token|api[-_]?key|authorization|cookie|credential|header[-_]?value)s?$/i;

export const CENSOR = '[redacted]';

/** Does a field of this name hold a secret? Numbers and booleans under such a name (a count, a switch) do not. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** The login in a URL. */
const LOGIN = /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"']{1,1024}@/gi;
/** What follows a scheme of `Authorization`. */
const SCHEME = /\b(Bearer|Basic|ApiKey)(\s+)(?=[^\s\d=]{0,200}[\d=])[A-Za-z0-9._~+/=-]{6,}/gi;
/** A JSON Web Token: its first two parts begin as every JSON object does. */
const JWT = /\beyJ[A-Za-z0-9_-]{4,}\.eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g;
/** `name=value` of a query or a form, where the name says it. */
const PAIR =
  /([?&;\s]|^)((?:[a-z0-9]{1,20}[-_.])?(?:jwt|access_token|id_token|refresh_token|token|api[-_]?key|password|secret))=[^&;\s"']+/gi;
/** `name: value`, as transformers write headers. */
const HEADER = /^([A-Za-z0-9_-]{1,64}):\s*(?=\S)(?!\/\/)/;

/** The text without logins, bearer tokens, JSON Web Tokens, or the value of a pair that is named like a secret. */
export const withoutSecretText = (text: string): string => {
  if (text.length < 8) return text;
  const header = HEADER.exec(text);
  if (header !== null && isSecretName(header[1] ?? '')) return `${header[1]}:${CENSOR}`;
  let shown = text;
  if (shown.includes('://') && shown.includes('@')) shown = shown.replace(LOGIN, `$1${CENSOR}@`);
  if (shown.includes('eyJ')) shown = shown.replace(JWT, CENSOR);
  if (shown.includes('=')) shown = shown.replace(PAIR, `$1$2=${CENSOR}`);
  return shown.includes(' ') ? shown.replace(SCHEME, `$1$2${CENSOR}`) : shown;
};
