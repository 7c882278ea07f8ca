import { ALGORITHM_FAMILIES } from './algorithms.ts';
import { REFERENCE_FAMILIES } from './key-references.ts';
import { SIGNATURE_FAMILIES } from './signatures.ts';
import { SPELLING_FAMILIES } from './spellings.ts';

/** Tokens by somebody who has no key that counts. */
export const FORGED = [...ALGORITHM_FAMILIES, ...REFERENCE_FAMILIES, ...SIGNATURE_FAMILIES];
/** Tokens that are signed, or are none, and written as none may be. */
export const MISSPELT = SPELLING_FAMILIES;
