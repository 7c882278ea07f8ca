import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, call, eventually } from '@sluice/testkit';
import { connect } from 'nats';
import { type Browser, chromium } from 'playwright-core';
import { bundleConsole } from '../../tools/bundle-console.ts';
// biome-ignore lint/correctness/useImportExtensions: it is JavaScript, see its first lines.
import { findServers } from '../../tools/find-servers.mjs';
import { natsClient, RunningGateway } from '../gateway.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const TOKENS = { viewer: 'v'.repeat(32), operator: 'o'.repeat(32), admin: 'a'.repeat(32) } as const;
export type Role = keyof typeof TOKENS;
const ADMIN_TOKENS = `vera:viewer:${TOKENS.viewer},otto:operator:${TOKENS.operator},ada:admin:${TOKENS.admin}`;

export const LIMIT = 3;
const SECRET_KEY = 'a-key-of-alice';
const configuration = (port: number): string => `
_format_version: "3.0"
services:
  - name: good
    url: http://127.0.0.1:${port}
    routes:
      - { name: open, paths: [/open], strip_path: false }
      - name: limited
        paths: [/limited]
        plugins:
          - { name: rate-limiting, config: { hour: ${LIMIT}, limit_by: header, header_name: X-Tenant-Id } }
      - name: chat
        paths: [/chat]
        strip_path: false
        plugins:
          - { name: prompt-guard, config: { mode: block, tenants: { a-lab: { mode: shadow, sensitivity: strict } } } }
  - name: spread
    host: targets.internal
    routes: [{ name: spread, paths: [/spread] }]
upstreams:
  - name: targets.internal
    healthchecks: { passive: { unhealthy: { http_failures: 5 } } }
    targets: [{ target: "127.0.0.1:${port}" }]
plugins:
  - { name: quota-mirror, route: limited, config: { block_on_quota_exceeded: true } }
consumers:
  - { username: alice, keyauth_credentials: [{ key: ${SECRET_KEY} }] }
`;

/** Only what keeps a Chromium of a test from asking anybody else, and lets it run as root. */
const ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

/** A fleet with a limit, its Admin API guarded, and one Chromium. */
export class ConsoleWorld implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly browser: Browser;
  readonly #upstream: Server;
  readonly #folder: string;

  private constructor(gateway: RunningGateway, browser: Browser, upstream: Server, folder: string) {
    this.gateway = gateway;
    this.browser = browser;
    this.#upstream = upstream;
    this.#folder = folder;
  }

  static async start(): Promise<ConsoleWorld> {
    const found = findServers({ wanted: ['chromium'], path: process.env.PATH, say: () => undefined });
    if (!found.ok) throw new Error(`these tests need Chromium: ${found.message}`);
    // `npm test` has built it beside the bundles; from source it is what the sources say now.
    if (!process.env.SLUICE_PROCESSES) await bundleConsole(join(ROOT, 'console', 'dist'));
    const upstream = createServer((_request, response) => response.end('said by the upstream\n'));
    await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
    const folder = mkdtempSync(join(tmpdir(), 'sluice-console-'));
    const file = join(folder, 'kong.yml');
    writeFileSync(file, configuration((upstream.address() as AddressInfo).port));
    const [gateway, browser] = await Promise.all([
      RunningGateway.start(['--no-demo', '--edges', '2', '--restart=never', '--config', file], {
        ADMIN_TOKENS,
        SLUICE_ADMIN_TOKEN: TOKENS.admin, // of the command that starts it
      }),
      chromium.launch({ executablePath: found.paths.chromium ?? '', args: ARGS }),
    ]);
    return new ConsoleWorld(gateway, browser, upstream, folder);
  }

  get admin(): string {
    return this.gateway.ready.admin;
  }

  /** A request of a tenant to the proxy. */
  ask(path: string, tenant: string): Promise<Answer> {
    return call(this.gateway.ready.proxy, path, { headers: { 'x-tenant-id': tenant } });
  }

  /** A prompt of a tenant to a model. */
  prompt(text: string, tenant: string): Promise<Answer> {
    return call(this.gateway.ready.proxy, '/chat', {
      method: 'POST',
      headers: { 'x-tenant-id': tenant, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: text }] }),
    });
  }

  /** Spends a tenant's hour; the answer that refuses. */
  refusedOf(tenant: string): Promise<Answer> {
    return eventually(async () => {
      const answer = await this.ask('/limited', tenant);
      if (answer.status !== 429) throw new Error(`not refused yet: ${answer.status}`);
      return answer;
    });
  }

  /** Tells what tenants have used, as LiteLLM does. */
  async tellQuotas(quotas: readonly { tenantId: string; used: number; resetAt?: string }[]): Promise<void> {
    const connection = await connect(natsClient(this.gateway.ready.nats));
    for (const { tenantId, used, resetAt = '2099-01-01T00:00:00Z' } of quotas) {
      const payload = { limit: 1000, used, remaining: 1000 - used, period: 'monthly', resetAt };
      const event = { eventId: crypto.randomUUID(), occurredAt: new Date().toISOString(), tenantId, payload };
      await connection.jetstream().publish('quota.updated', JSON.stringify(event));
    }
    await connection.close();
  }

  /** Spans of a request that was refused, as a collector gets them. */
  async tellSpans(traceId: string): Promise<void> {
    const attributes = Object.entries({
      ...{ 'sluice.plugin.name': 'rate-limiting', 'sluice.plugin.phase': 'access' },
      ...{ 'sluice.plugin.duration_us': '412', 'sluice.plugin.refused': 'GW_RATE_LIMITED' },
    }).map(([key, stringValue]) => ({ key, value: { stringValue } }));
    const span = {
      ...{ traceId, spanId: '00f067aa0ba902b7', name: 'GET limited' },
      ...{ startTimeUnixNano: '1767323045000000000', endTimeUnixNano: '1767323045002000000' },
      events: [{ name: 'plugin', timeUnixNano: '1767323045000500000', attributes }],
      links: [{ traceId: 'ab'.repeat(16), spanId: '00f067aa0ba902b9' }],
    };
    const answer = await call(this.admin, '/v1/traces', {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.viewer}`, 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    if (answer.status !== 200) throw new Error(`spans not taken: ${answer.status} ${answer.text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.gateway[Symbol.asyncDispose]();
    this.#upstream.closeAllConnections();
    this.#upstream.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
