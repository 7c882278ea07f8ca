import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendCommit, appendRevocation, type Position, provisionLog, startOf } from '@sluice/config-log';
import { authVerify, STREAMS } from '@sluice/contracts';
import { ConfigState, diffStates, type Entities } from '@sluice/gateway-config';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, OidcIssuer, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { entities, hs256, issuerEntity, PLUGIN_ID } from './fixtures.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** The configuration log as the registry keeps it, and the process under test beside it. */
const startPlatform = async () => {
  const nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'registry', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  let position: Position = startOf(await provisionLog(jetstream));
  let state = new ConfigState();
  const children: ChildProcess[] = [];
  return {
    bus,
    nats,
    jetstream,
    position: () => position,
    commit: async (wanted: Entities) => {
      const next = ConfigState.fromEntities(wanted);
      const ops = diffStates(state, next);
      const appended = await appendCommit({ jetstream, base: position, state, ops, actor: 'test' });
      if (appended.outcome === 'conflict') throw new Error('nobody else writes here');
      const { epoch, version, digest } = appended.commit;
      position = { epoch, version, digest, seq: appended.seq };
      state = next;
    },
    start: async (env: Record<string, string>) => {
      const child = spawn(process.execPath, [MAIN], {
        env: { PATH: process.env.PATH, NATS_URL: nats.url, STATUS_PORT: '0', INSTANCE: 'auth-1', ...env },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.push(child);
      const [ready] = (await once(child, 'message')) as [{ ports: { status: number }; detail: string }];
      return { child, ready, status: `http://127.0.0.1:${ready.ports.status}` };
    },
    ask: async (token: string) => {
      const { epoch, version } = position;
      const check = { id: 1, pluginId: PLUGIN_ID, epoch, version, scheme: 'jwt' as const, token };
      return (await bus.ask(authVerify, { v: 1, checks: [check] })).results[0];
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      await bus.close();
      await nats[Symbol.asyncDispose]();
    },
  };
};

test('the process follows the log, answers the bus, publishes its keys, tells its state and finishes its work at SIGTERM', async () => {
  await using issuer = await OidcIssuer.start();
  await using platform = await startPlatform();
  await platform.commit(entities({ issuers: [issuerEntity('{vault://env/logto-issuer}')] }));
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-identity-'));
  const file = join(folder.path, 'keys.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(file, privateKey.export({ type: 'sec1', format: 'pem' }));
  const { child, ready, status } = await platform.start({
    LOGTO_ISSUER: issuer.url,
    IDENTITY_KEYS_FILE: file,
  });

  expect(ready).toMatchObject({ event: 'ready', process: 'auth', instance: 'auth-1' });
  expect(ready.detail).toBe(`issuer ${issuer.url} · 1 keys`);
  expect(await (await fetch(`${status}/readyz`)).json()).toEqual({ status: 'ready', problems: {} });
  const published = await fetch(`${status}/.well-known/jwks.json`);
  expect(published.headers.get('cache-control')).toBe('public, max-age=60');
  expect(await published.json()).toEqual({
    keys: [expect.objectContaining({ kty: 'EC', alg: 'ES256', use: 'sig', kid: expect.any(String) })],
  });
  expect(await platform.ask(await issuer.token())).toMatchObject({
    outcome: 'allow',
    tenantId: 'tenant-123',
  });
  const token = hs256({ iss: 'alice-key' });
  expect(await platform.ask(token)).toMatchObject({ outcome: 'allow', consumer: { username: 'alice' } });

  await platform.commit(entities({ jwt_secrets: [] }));
  await eventually(async () => {
    expect(await platform.ask(token)).toMatchObject({
      body: { message: "No credentials found for given 'iss'" },
    });
  });
  const metrics = await (await fetch(`${status}/metrics`)).text();
  expect(metrics).toContain('sluice_auth_jwks_refresh_total{result="success"} 1');

  const asked = Array.from({ length: 20 }, () => platform.ask(token));
  await Promise.race(asked);
  child.kill('SIGTERM');
  const exited = once(child, 'exit');
  expect(await Promise.all(asked)).toHaveLength(20);
  expect(await exited).toEqual([0, null]);
  await expect(platform.ask(token)).rejects.toMatchObject({ kind: 'no-responders' });
});

const ofSubject = (value: string) => ({
  revocation: { by: 'subject' as const, value, notBeforeMs: Date.now() + 60_000 },
  occurredAt: new Date().toISOString(),
  actor: 'test',
});

test('given tokens were revoked, then every instance refuses them, and one that starts later too', async () => {
  await using platform = await startPlatform();
  await platform.commit(entities({}));
  const first = await platform.start({ INSTANCE: 'auth-1' });
  const revokedToken = hs256({ iss: 'alice-key', sub: 'u-1' });
  const token = hs256({ iss: 'alice-key', sub: 'u-2' });
  expect(await platform.ask(revokedToken)).toMatchObject({ outcome: 'allow' });

  await appendRevocation(platform.jetstream, ofSubject('u-1'));
  await eventually(async () =>
    expect(await platform.ask(revokedToken)).toMatchObject({ reason: 'token_revoked' }),
  );
  expect(await platform.ask(token)).toMatchObject({ outcome: 'allow' });

  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  await platform.start({ INSTANCE: 'auth-2' });
  expect(await platform.ask(revokedToken)).toMatchObject({ reason: 'token_revoked' });
});

test('given there is no list of revoked tokens, then the process is not ready and decides on no token', async () => {
  await using platform = await startPlatform();
  await platform.commit(entities({}));
  const { manager } = await platform.jetstream.raw();
  await manager.streams.delete(STREAMS.REVOCATIONS.name);

  const { status } = await platform.start({});
  const answer = await fetch(`${status}/readyz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    problems: { revocations: 'the list of revoked tokens is not read yet' },
  });
  const token = hs256({ iss: 'alice-key' });
  expect(await platform.ask(token)).toMatchObject({ outcome: 'error', code: 'revocations_unread' });

  await platform.jetstream.ensureStream(STREAMS.REVOCATIONS);
  await eventually(async () => expect(await platform.ask(token)).toMatchObject({ outcome: 'allow' }));
});

test('given an issuer whose reference is not set, then the process is ready, degraded, and says why', async () => {
  await using platform = await startPlatform();
  await platform.commit(entities({ issuers: [issuerEntity('{vault://env/logto-issuer}')] }));
  const { ready, status } = await platform.start({});
  expect(ready.detail).toBe('no issuer');
  expect(await (await fetch(`${status}/.well-known/jwks.json`)).json()).toEqual({ keys: [] });
  const answer = await fetch(`${status}/readyz`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    status: 'degraded',
    problems: { 'issuer logto': 'its reference names no set variable' },
  });
});

test('a setting that makes no sense stops the start and is named', async () => {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, JWKS_COOLDOWN_SECONDS: 'soon' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  expect(code).not.toBe(0);
  expect(said).toContain('JWKS_COOLDOWN_SECONDS');
});
