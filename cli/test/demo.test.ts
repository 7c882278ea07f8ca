import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quotaUpdated, STREAMS } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, freePort, silentLogger, startNats } from '@sluice/testkit';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { issuerUrlFor } from '../src/demo/issuer.ts';
import { SAMPLE_TENANTS, sampleQuotaAt } from '../src/demo/sample-quotas.ts';
import { writeRunFile } from '../src/run-file.ts';
import { StubRepository } from './support/gateway.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'demo', 'main.ts');
const NO_BUS = 'nats://127.0.0.1:9'; // upstreams and issuer work without one

/** The demo process on free ports. */
class Demo implements AsyncDisposable {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  #child: ChildProcess | undefined;
  ports: Record<string, number> = {};

  async start(natsUrl = NO_BUS, issuerPort = 0): Promise<this> {
    const env = {
      ...process.env,
      UPSTREAM_PORTS: 'agent-orchestrator=0,llmops=0',
      ISSUER_PORT: `${issuerPort}`,
      DATA_DIR: this.dataDir,
      NATS_URL: natsUrl,
    };
    this.#child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const [ready] = (await once(this.#child, 'message')) as [{ ports: Record<string, number> }];
    this.ports = ready.ports;
    return this;
  }

  get issuer(): string {
    return issuerUrlFor(this.ports.issuer ?? 0);
  }

  urlOf(upstream: string): string {
    return `http://127.0.0.1:${this.ports[upstream]}`;
  }

  async stop(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const runFileOf = (issuer: string | null) => ({
  proxy: '',
  admin: '',
  nats: '',
  redis: '',
  issuer,
  pids: {},
});

const verify = async (issuer: string, token: string) => {
  const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
    jwks_uri: string;
  };
  return jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwks_uri)), { issuer, algorithms: ['ES384'] });
};

test('given a running demo, then sluice token prints a token in Logto’s shape and nothing else', async () => {
  // given
  await using demo = await new Demo().start();
  await using repository = new StubRepository();
  mkdirSync(repository.dataDir, { recursive: true });
  writeRunFile(repository.dataDir, runFileOf(demo.issuer));

  // when
  const args = ['token', '--tenant', 'tenant-123', '--user', 'user-456', '--ttl', '60'];
  const { code, out, err } = await repository.run([...args, '--platform', 'platform-9']);

  // then
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { payload, protectedHeader } = await verify(demo.issuer, out.trimEnd());
  expect(protectedHeader).toMatchObject({ alg: 'ES384', typ: 'at+jwt' });
  expect(payload).toMatchObject({
    sub: 'user-456',
    organization_id: 'tenant-123',
    tenant_id: 'tenant-123',
    platform_id: 'platform-9',
    client_id: 'sluice-demo',
    exp: (payload.iat ?? 0) + 60,
    nbf: payload.iat,
  });
});

test('given a token, when the demo is started again, then its key still verifies it', async () => {
  await using demo = await new Demo().start();
  const body = new URLSearchParams({ grant_type: 'client_credentials', tenant: 't', user: 'u' });
  const answer = await fetch(`${demo.issuer}/token`, { method: 'POST', body });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const { issuer } = demo;

  await demo.stop();
  await demo.start(NO_BUS, demo.ports.issuer);

  expect((await verify(issuer, token)).payload.tenant_id).toBe('t');
});

test('when a token is asked for without a tenant, then the answer names the field', async () => {
  await using demo = await new Demo().start();
  const body = new URLSearchParams({ grant_type: 'client_credentials', user: 'u' });

  const answer = await fetch(`${demo.issuer}/token`, { method: 'POST', body });

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error_description: expect.stringContaining('tenant') });
});

test('the upstreams say what reached them', async () => {
  await using demo = await new Demo().start();
  const headers = { 'x-tenant-id': 'tenant-123' };

  const echo = await fetch(`${demo.urlOf('llmops')}/v1/llmops/prompts?a=1`, {
    method: 'POST',
    body: '12345',
    headers,
  });
  const workflows = await fetch(`${demo.urlOf('agent-orchestrator')}/v1/workflows`, { headers });

  expect(await echo.json()).toMatchObject({
    service: 'llmops',
    method: 'POST',
    path: '/v1/llmops/prompts',
    query: '?a=1',
    headers,
    bodyBytes: 5,
    items: [],
  });
  expect(await workflows.json()).toMatchObject({ items: expect.any(Array), nextCursor: null, headers });
});

test('given a stream path, then the events come as server-sent events', async () => {
  await using demo = await new Demo().start();

  const answer = await fetch(`${demo.urlOf('agent-orchestrator')}/v1/executions/e-1/stream`);

  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const events = (await answer.text()).trim().split('\n\n');
  expect(events).toHaveLength(10);
  expect(events[0]).toMatch(/^id: 1\ndata: \{"service":"agent-orchestrator"/);
});

test('given the stream QUOTAS, then samples of the demo tenants arrive in the platform’s envelope', async () => {
  // given
  await using nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream(STREAMS.QUOTAS);

  // when
  await using demo = await new Demo().start(nats.url);
  expect(demo.ports.issuer).toBeGreaterThan(0);
  const stored = await eventually(async () => {
    const { messages } = await jetstream.streamInfo('QUOTAS');
    expect(messages).toBeGreaterThanOrEqual(SAMPLE_TENANTS.length);
    const { manager } = await jetstream.raw(); // not readAt: this stream has no direct gets
    return Promise.all(
      SAMPLE_TENANTS.map((_, index) => manager.streams.getMessage('QUOTAS', { seq: index + 1 })),
    );
  });

  // then
  const events = stored.map((message) => quotaUpdated.payload.parse(message.json()));
  expect(events.map(({ tenantId }) => tenantId)).toEqual(['demo-acme', 'demo-globex']);
  expect(stored.map((message) => message.header.get('Nats-Msg-Id'))).toEqual(
    events.map(({ eventId }) => eventId),
  );
  await bus.drain();
});

test('a sample’s use grows within its month and starts again with the next', () => {
  const tenant = SAMPLE_TENANTS[0];
  if (tenant === undefined) throw new Error('there are no sample tenants');
  const usedAt = (instant: string) => sampleQuotaAt(tenant, new Date(instant)).payload.used;

  expect(usedAt('2026-11-20T00:00:00Z')).toBeGreaterThan(usedAt('2026-11-19T23:59:50Z'));
  expect(usedAt('2026-12-01T00:00:00Z')).toBe(0);
});

test('given no running gateway, then token says so and exits with 3', async () => {
  await using repository = new StubRepository();
  const free = await freePort();

  const absent = await repository.run(['token', '--tenant', 't', '--user', 'u']);
  mkdirSync(repository.dataDir, { recursive: true });
  writeRunFile(repository.dataDir, runFileOf(`http://127.0.0.1:${free}/oidc`)); // left by a run that was killed
  const stale = await repository.run(['token', '--tenant', 't', '--user', 'u']);

  for (const { code, out, err } of [absent, stale]) {
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain('npm start');
  }
});

test('given no gateway, then sluice demo says how to start one and ends with 3', async () => {
  await using repository = new StubRepository();

  const { code, err } = await repository.run(['demo', '--for', '1s']);

  expect(code).toBe(3);
  expect(err).toContain('npm start');
});
