import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ReadyMessage } from '@sluice/service-kit';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';

test('given a bus, when the process starts, then it says ready with its ports, serves, and ends cleanly on SIGTERM', async () => {
  await using nats = await startNats();
  const env = { ...process.env, NATS_URL: nats.url, ADMIN_PORT: '0', STATUS_PORT: '0', LOG_LEVEL: 'silent' };
  const child = fork(join(import.meta.dirname, '../src/main.ts'), { env, execArgv: [], silent: true });
  try {
    const [ready] = (await once(child, 'message')) as [ReadyMessage];
    expect(ready).toMatchObject({
      event: 'ready',
      process: 'config-registry',
      detail: expect.stringMatching(/^revision r0/),
    });
    const { admin, status } = ready.ports;
    expect((await fetch(`http://127.0.0.1:${admin}/services`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${status}/readyz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${status}/livez`)).status).toBe(200);

    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
