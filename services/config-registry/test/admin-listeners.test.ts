import { mkdtempSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runRegistry } from './registry-world.ts';

/** The answer by TLS, and the name in the certificate that was shown. */
const get = (
  port: number | undefined,
  path: string,
): Promise<{ status?: number; text: string; shown?: unknown }> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false };
    const request = https.get(options, (response) => {
      const shown = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('end', () =>
        resolve({ ...(response.statusCode && { status: response.statusCode }), text, shown }),
      );
    });
    request.once('error', reject);
  });

test('given no TLS port, then there is none; given one, then it shows a certificate of its own', async () => {
  await using nats = await startNats();
  await using plain = await runRegistry(nats.url);
  expect(plain.registry.adminTlsPort).toBeUndefined();
  await using both = await runRegistry(nats.url, { instance: 'registry-2', env: { ADMIN_TLS_PORT: '0' } });

  const answer = await get(both.registry.adminTlsPort, '/services');

  expect(answer).toEqual({ status: 200, text: '{"data":[],"next":null}', shown: 'localhost' });
  expect((await both.call('/services')).status).toBe(200);
});

test('given a certificate, then it is shown; given half of one, or none that can be read, then the start says so', async () => {
  await using nats = await startNats();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-admin-tls-'));
  const { cert, key } = issueCertificate('admin.test');
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const tls = { ADMIN_TLS_PORT: '0', ADMIN_TLS_CERT: certFile, ADMIN_TLS_KEY: keyFile };
  await using world = await runRegistry(nats.url, { env: tls });
  expect((await get(world.registry.adminTlsPort, '/')).shown).toBe('admin.test');

  const { ADMIN_TLS_KEY: _key, ...half } = tls;
  await expect(runRegistry(nats.url, { instance: 'half', env: half })).rejects.toThrow(
    'ADMIN_TLS_KEY is not set but ADMIN_TLS_CERT is',
  );
  const unreadable = { ...tls, ADMIN_TLS_KEY: join(folder, 'none.pem') };
  await expect(runRegistry(nats.url, { instance: 'unreadable', env: unreadable })).rejects.toThrow(
    /ADMIN_TLS_KEY: cannot read .*none\.pem \(ENOENT\)/,
  );
});
