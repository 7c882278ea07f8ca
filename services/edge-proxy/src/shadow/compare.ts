import type { ShadowTerms } from '@sluice/plugins';
import type { Digest } from './answer-digest.ts';

/** An answer as far as it is compared. */
export interface Told {
  readonly status: number;
  /** Values of all lines of a name, as they came. */
  readonly header: (name: string) => readonly string[];
  /** Undefined: its body was not looked at. */
  readonly body: Digest | undefined;
}

/** One thing in which two answers differ: of headers the name, of bodies the size, and nothing of what they say. */
export type Difference =
  | { readonly kind: 'status'; readonly here: number; readonly there: number }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'body'; readonly here: number; readonly there: number };

/** In what the answer of the second gateway differs from ours. */
export const differencesOf = (here: Told, there: Told, compare: ShadowTerms['compare']): Difference[] => [
  ...(compare.status && here.status !== there.status
    ? [{ kind: 'status', here: here.status, there: there.status } as const]
    : []),
  ...compare.headers
    .filter((name) => here.header(name).join(', ') !== there.header(name).join(', '))
    .map((name) => ({ kind: 'header', name }) as const),
  ...(isSameBody(here.body, there.body)
    ? []
    : [{ kind: 'body', here: here.body?.bytes ?? 0, there: there.body?.bytes ?? 0 } as const]),
];

/** Two that are too large cannot be told apart; one that is too large differs from one that is not. */
const isSameBody = (here: Digest | undefined, there: Digest | undefined): boolean => {
  if (here === undefined || there === undefined || here.hash === there.hash) return true;
  return here.json !== undefined && here.json === there.json;
};

/** Neither body could be looked at. */
export const isTooLarge = ({ body: here }: Told, { body: there }: Told): boolean =>
  here !== undefined && there !== undefined && here.hash === undefined && there.hash === undefined;
