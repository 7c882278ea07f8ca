import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;
let pool = '';
let offset = 0;

/** `bytes` random bytes as lower-case hex, from a pool: one system call serves many requests. */
export const randomHex = (bytes: number): string => {
  const digits = 2 * bytes;
  if (offset + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    offset = 0;
  }
  offset += digits;
  return pool.slice(offset - digits, offset);
};
