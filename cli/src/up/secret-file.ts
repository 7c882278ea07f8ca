import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/** A secret of this folder's gateway, made at its first start and for its owner alone to read. */
export const secretIn = (dataDir: string, name: string): string =>
  readFileSync(
    keptIn(dataDir, name, () => randomBytes(SECRET_BYTES).toString('base64url')),
    'utf8',
  ).trim();

/** Path of the key that identities for upstreams are signed with, made at the first start, too. */
export const identityKeysFileIn = (dataDir: string): string =>
  keptIn(dataDir, 'identity-keys.pem', () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  );

/** Never over a file that is there: what was made with it would be void. @returns its path. */
const keptIn = (dataDir: string, name: string, made: () => string): string => {
  const file = join(dataDir, name);
  mkdirSync(dataDir, { recursive: true });
  if (existsSync(file)) return file;
  try {
    writeFileSync(file, made(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return file;
};
