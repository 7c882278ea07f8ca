import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const AUTH = join(import.meta.dirname, '../../auth/src/main.ts');

/** The auth process as it is deployed; the edge knows it by its subject only. */
export const startAuth = async (natsUrl: string, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [AUTH], {
    env: { PATH: process.env.PATH, NATS_URL: natsUrl, STATUS_PORT: '0', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
};
