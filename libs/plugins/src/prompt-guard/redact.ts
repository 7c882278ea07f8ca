/** Kinds of text that belong to a person, or open a door. */
export const REDACTED_KINDS = ['email', 'card', 'iban', 'phone', 'key'] as const;
export type RedactedKind = (typeof REDACTED_KINDS)[number];

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

/** The check digit of payment cards (ISO/IEC 7812-1). */
const passesLuhn = (text: string): boolean => {
  const digits = digitsOf(text);
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0;
};

/** The check digits of account numbers (ISO 13616): the rest of a division by 97 is 1. */
const passesIban = (text: string): boolean => {
  const plain = text.replaceAll(' ', '').toUpperCase();
  let rest = 0;
  for (const char of plain.slice(4) + plain.slice(0, 4))
    for (const digit of /\d/.test(char) ? char : `${char.charCodeAt(0) - 55}`)
      rest = (rest * 10 + Number(digit)) % 97;
  return plain.length >= 15 && plain.length <= 34 && rest === 1;
};

interface Detector {
  readonly kind: RedactedKind;
  readonly pattern: RegExp;
  readonly isMeant?: (text: string) => boolean;
}

// Every repetition is bounded, so that a place costs a constant at most.
const DETECTORS: readonly Detector[] = [
  {
    kind: 'key',
    pattern:
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----|\beyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{0,1000}|\b(?:sk|pk|rk)[-_](?:[a-z]{2,8}[-_])?[A-Za-z0-9_-]{16,200}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,100}|\bgithub_pat_\w{20,100}|\bxox[abprs]-[A-Za-z0-9-]{10,100}|\bAIza[\w-]{35}|\bglpat-[\w-]{20,40}/g,
  },
  { kind: 'email', pattern: /\b[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}/g },
  {
    kind: 'iban',
    pattern: /\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b/g,
    isMeant: passesIban,
  },
  { kind: 'card', pattern: /\b\d(?:[ -]?\d){12,18}\b/g, isMeant: passesLuhn },
  {
    kind: 'phone',
    pattern:
      /(?:\+|\b00)\d{1,3}(?:[ ./-]?\(?\d{1,5}\)?){2,6}|\(\d{2,5}\) ?\d{3,4}[ -]?\d{3,5}\b|\b\d{3}-\d{3}-\d{4}\b|\b0\d{2,4}[ /-]\d{3,4}[ -]?\d{2,6}\b/g,
    isMeant: (text) => digitsOf(text).length >= 8 && digitsOf(text).length <= 15,
  },
];

/** A text without what identifies people or opens doors, and how often each kind was taken out. */
export interface Redacted {
  readonly text: string;
  readonly counts: ReadonlyMap<RedactedKind, number>;
}

/** Puts `[EMAIL]`, `[CARD]`, `[IBAN]`, `[PHONE]` and `[KEY]` in the place of what is found. */
export const redact = (text: string, kinds: readonly RedactedKind[] = REDACTED_KINDS): Redacted => {
  const counts = new Map<RedactedKind, number>();
  let left = text;
  for (const { kind, pattern, isMeant } of DETECTORS) {
    if (!kinds.includes(kind)) continue;
    left = left.replace(pattern, (found) => {
      if (isMeant?.(found) === false) return found;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return `[${kind.toUpperCase()}]`;
    });
  }
  return { text: left, counts };
};
