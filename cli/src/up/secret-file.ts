import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/** A secret of this folder's gateway, made at its first start and for its owner alone to read. */
export const secretIn = (dataDir: string, name: string): string => {
  const file = join(dataDir, name);
  mkdirSync(dataDir, { recursive: true });
  try {
    // Never over one that is there: what was hashed with it would be void.
    writeFileSync(file, randomBytes(SECRET_BYTES).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
};
