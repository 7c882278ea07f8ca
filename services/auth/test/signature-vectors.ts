import { createHash, type KeyObject } from 'node:crypto';

/** A signature over a text, or something that passes for one. */
export type Signs = (text: string) => Buffer;
export interface Vector {
  readonly name: string;
  readonly signs: Signs;
}
/** Signatures by one algorithm: one that is good, and those that are not. */
export interface Family {
  readonly alg: string;
  /** Absent: the secret is shared. */
  readonly publicKey?: KeyObject;
  readonly valid: Signs;
  /** Made by hand with nothing wrong: what is wrong in others is why they fail. */
  readonly alsoValid?: Signs;
  readonly vectors: readonly Vector[];
}

export const digest = (hash: string, bytes: Buffer | string): Buffer =>
  createHash(hash).update(bytes).digest();
export const big = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);
export const bytesOf = (value: bigint, size: number): Buffer =>
  Buffer.from(
    value
      .toString(16)
      .padStart(2 * size, '0')
      .slice(-2 * size),
    'hex',
  );
export const fixed = (name: string, signature: Buffer): Vector => ({ name, signs: () => signature });
export const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
