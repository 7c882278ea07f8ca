import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '@sluice/testkit';
import { type Said, typeSluice } from './command-line.ts';
import { RunningGateway } from './gateway.ts';

const ROOT = join(import.meta.dirname, '..');
const SECRET = 'a-secret-of-alice-that-is-long-enough';

/** An upstream that answers, refuses by itself, or says nothing. */
const answer = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.url?.startsWith('/slow')) return; // never
  const status = request.url?.startsWith('/open/own-429') ? 429 : 200;
  response.writeHead(status, { 'content-type': 'text/plain' }).end('said by the upstream\n');
};

const configuration = (port: number): string => `
_format_version: "3.0"
services:
  - name: good
    url: http://127.0.0.1:${port}
    routes:
      - { name: open, paths: [/open], strip_path: false }
      - { name: only-get, paths: [/only-get], methods: [GET], strip_path: false }
      - name: guarded
        paths: [/guarded]
        plugins: [{ name: jwt, config: { claims_to_verify: [exp] } }]
      - name: members
        paths: [/members]
        plugins: [{ name: key-auth }, { name: acl, config: { allow: [gold] } }]
      - name: small
        paths: [/small]
        plugins: [{ name: request-size-limiting, config: { allowed_payload_size: 1, size_unit: kilobytes } }]
      - name: limited
        paths: [/limited]
        plugins:
          - name: rate-limiting
            config: { hour: 3, limit_by: header, header_name: X-Tenant-Id }
      - name: paid
        paths: [/paid]
        plugins: [{ name: quota-mirror, config: { block_on_quota_exceeded: true } }]
      - { name: burn, paths: [/burn], plugins: [{ name: burner }] }
  - name: slow
    url: http://127.0.0.1:${port}/slow
    read_timeout: 150
    retries: 0
    routes: [{ name: slow, paths: [/slow] }]
  - name: dead
    url: http://127.0.0.1:1
    connect_timeout: 500
    retries: 0
    routes: [{ name: dead, paths: [/dead] }]
consumers:
  - username: alice
    jwt_secrets: [{ key: alice-key, algorithm: HS256, secret: ${SECRET} }]
    keyauth_credentials: [{ key: alices-api-key }]
    acls: [{ group: silver }]
plugins:
  - name: prometheus
    config: { status_code_metrics: true, latency_metrics: true, bandwidth_metrics: true, upstream_health_metrics: true }
`;

/** Each of its requests alone makes the event loop twice as late as it may be, by CPU time: only that counts. */
const BURNER = `
import { definePlugin } from '@sluice/plugins';
import { z } from 'zod';
const spentMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
export const plugin = definePlugin({
  name: 'burner', priority: 5, summary: 'Burns.', config: z.strictObject({}),
  access: () => {
    const begun = spentMs();
    while (spentMs() - begun < 100);
    return undefined;
  },
});
`;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of alice, unless told otherwise. `inSeconds`: when it ends. */
export const tokenOf = ({
  iss = 'alice-key',
  secret = SECRET,
  inSeconds = 3600,
  tenant = '',
} = {}): string => {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss, iat: now - 60, exp: now + inSeconds, ...(tenant && { tenant_id: tenant }) })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

const tracesTo = (url: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '200',
});

/** A fleet of two edges before an upstream of many faces, and the command line beside it. */
export class ExplainWorld implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly upstream: Server;

  private constructor(gateway: RunningGateway, upstream: Server) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  /** `isTraced`: every request is recorded, and its spans are told to the registry. */
  static async start({ isTraced = false } = {}): Promise<ExplainWorld> {
    const upstream = createServer(answer).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const folder = mkdtempSync(join(tmpdir(), 'sluice-explain-'));
    const [file, plugins] = [join(folder, 'kong.yml'), join(folder, 'plugins')];
    writeFileSync(file, configuration((upstream.address() as AddressInfo).port));
    mkdirSync(plugins);
    writeFileSync(join(plugins, 'burner.ts'), BURNER);
    const args = ['--no-demo', '--edges', '2', '--restart=never', '--config', file, '--plugins', plugins];
    const port = await freePort();
    const gateway = await RunningGateway.start(isTraced ? [...args, '--admin-port', `${port}`] : args, {
      ...{ DECISION_SAMPLE: '0', AUTH_TIMEOUT_MS: '1000', OVERLOAD_LAG_MS: '50' },
      ...(isTraced ? tracesTo(`http://127.0.0.1:${port}`) : {}),
    });
    return new ExplainWorld(gateway, upstream);
  }

  /** The command line, in this process. */
  sluice(...args: string[]): Promise<Said> {
    return typeSluice([...args, '--data-dir', this.gateway.dataDir]);
  }

  /** The same as people run it. */
  async sluiceProcess(...args: string[]): Promise<Said> {
    const main = process.env.SLUICE_PROCESSES
      ? join(process.env.SLUICE_PROCESSES, 'cli', 'main.js')
      : join(ROOT, 'cli/src/main.ts');
    const child = spawn(process.execPath, [main, ...args, '--data-dir', this.gateway.dataDir], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLUICE_ROOT: ROOT, NO_COLOR: '1' },
    });
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { code: code as number, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upstream.closeAllConnections();
    this.upstream.close();
    await this.gateway[Symbol.asyncDispose]();
  }
}
