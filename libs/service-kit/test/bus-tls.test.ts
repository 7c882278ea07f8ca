import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { connectionOptions } from '../src/bus-options.ts';
import { Bus, busLogin, issueCertificate, readSettings, sharedSettings } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-bus-tls-'));
let nats: ServerProcess;

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  const authority = issueCertificate('bus authority', { isAuthority: true });
  const stranger = issueCertificate('another authority', { isAuthority: true });
  const server = issueCertificate('localhost', { issuer: authority });
  const client = issueCertificate('auth', { issuer: authority });
  write('ca.pem', authority.cert);
  write('stranger.pem', stranger.cert);
  write('client.pem', client.cert);
  write('client-key.pem', client.key);
  const files = {
    cert_file: write('server.pem', server.cert),
    key_file: write('server-key.pem', server.key),
    ca_file: join(folder, 'ca.pem'),
  };
  const lines = Object.entries(files).map(([name, path]) => `${name}: ${JSON.stringify(path)}`);
  nats = await startNats({ config: `tls {\n${lines.join('\n')}\nverify: true\n}\n` });
});

afterAll(async () => {
  await nats[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A process's own settings, as its environment gives them. */
const loginOf = (env: Record<string, string>) => {
  const NATS_URL = `nats://localhost:${nats.port}`;
  return busLogin(
    readSettings(z.object({ ...sharedSettings, STATUS_PORT: z.string() }), {
      NATS_URL,
      STATUS_PORT: '0',
      ...env,
    }),
  );
};
const at = (name: string) => join(folder, name);
const files = () => ({ NATS_TLS_CERT: at('client.pem'), NATS_TLS_KEY: at('client-key.pem') });

test('given the authority and a certificate, then the bus is reached by TLS', async () => {
  const login = loginOf({ NATS_TLS_CA: at('ca.pem'), ...files() });
  const bus = Bus.open({ ...login, name: 'auth', logger: silentLogger() });

  const connection = await bus.connection;

  expect(connection.info?.tls_required).toBe(true);
  await bus.close();
});

test.each<[string, () => Record<string, string>]>([
  ['another authority', () => ({ NATS_TLS_CA: at('stranger.pem'), ...files() })],
  ['no certificate of its own', () => ({ NATS_TLS_CA: at('ca.pem') })],
  ['no word about an authority', () => files()],
])('given %s, then there is no connection', async (_case, env) => {
  const options = connectionOptions({ ...loginOf(env()), name: 'auth', logger: silentLogger() });

  const attempt = connect({ ...options, waitOnFirstConnect: false, maxReconnectAttempts: 0 });

  await expect(attempt).rejects.toThrow();
});

test('given TLS is asked for and the server has none, then nothing is sent in the clear', async () => {
  await using plain = await startNats();
  for (const url of [`tls://localhost:${plain.port}`, `nats://localhost:${plain.port}`]) {
    const tls = url.startsWith('tls:') ? {} : { tls: { ca: at('ca.pem') } };
    const options = connectionOptions({ url, ...tls, name: 'auth', logger: silentLogger() });

    const attempt = connect({ ...options, waitOnFirstConnect: false, maxReconnectAttempts: 0 });

    await expect(attempt, url).rejects.toThrow();
  }
});
