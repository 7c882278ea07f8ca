import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quotaUpdated } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, OidcIssuer, silentLogger } from '@sluice/testkit';
import { AS_SHIPPED, RunningGateway } from '../../tests/gateway.ts';
import { familyOf } from '../measure/cpu.ts';
import type { Peer } from '../peers/servers.ts';
import { benchConfiguration, connectTo } from './configuration.ts';
import { type EdgeSetup, type Edges, startEdges } from './edges.ts';
import { type Requests, TENANTS, writeRequests } from './requests.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What clients present: a few people's tokens again and again, or each time another. */
const TOKENS = { few: 200, many: 2000 } as const;

export interface WorldOptions {
  /** What the issuer signs with. */
  readonly algorithm?: string;
  /** Tokens of `many`. */
  readonly many?: number;
}

/** One gateway as `sluice up` starts it, an upstream, an issuer, and room for more edges on the gateway's bus. */
export class World implements AsyncDisposable {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly gateway: RunningGateway;
  readonly few: Requests;
  readonly many: Requests;
  readonly #stack: AsyncDisposableStack;
  readonly #logFiles: string[] = [];
  readonly #pids: number[] = []; // the upstream's
  #edges = 1; // of `sluice up`

  private constructor(
    parts: Pick<World, 'folder' | 'upstreamPort' | 'gateway' | 'few' | 'many'>,
    pids: readonly number[],
    stack: AsyncDisposableStack,
  ) {
    this.folder = parts.folder;
    this.upstreamPort = parts.upstreamPort;
    this.gateway = parts.gateway;
    this.few = parts.few;
    this.many = parts.many;
    this.#pids.push(...pids);
    this.#stack = stack;
  }

  /** `startUpstream` gets a folder for its files. */
  static async start(
    startUpstream: (folder: string) => Promise<Peer>,
    { algorithm = 'RS256', many: manyTokens = TOKENS.many }: WorldOptions = {},
  ): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const removeFolder = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', removeFolder); // also when a signal ends the bench
    stack.defer(removeFolder);
    mkdirSync(join(folder, 'upstream'));
    const upstream = await startUpstream(join(folder, 'upstream'));
    stack.defer(() => upstream.child.stop());
    const issuer = stack.use(await OidcIssuer.start(algorithm));
    const [few, many] = await Promise.all([
      writeRequests(issuer, TOKENS.few, folder),
      writeRequests(issuer, manyTokens, folder),
    ]);
    const gateway = await RunningGateway.start(['--no-demo', '--config', 'none'], {
      ...AS_SHIPPED,
      LOGTO_ISSUER: issuer.url,
    });
    stack.use(gateway);
    const endGateway = () => process.kill(gateway.pid, 'SIGTERM');
    process.once('exit', endGateway);
    stack.defer(() => void process.off('exit', endGateway));
    const parts = { folder, upstreamPort: upstream.port, gateway, few, many };
    return new World(parts, familyOf(upstream.child.pid), stack.move());
  }

  /** Runs `work` before the world ends. */
  defer(work: () => Promise<void>): void {
    this.#stack.defer(work);
  }

  /** More edges; they serve once the configuration is loaded. */
  async addEdges(setup: Omit<EdgeSetup, 'folder' | 'natsUrl'>): Promise<Edges> {
    const settings = { CONNECT_TO: connectTo(this.upstreamPort), ...setup.settings };
    const { nats: natsUrl } = this.gateway.ready;
    const edges = await startEdges({ ...setup, settings, folder: join(this.folder, 'edges'), natsUrl });
    this.#edges += setup.count;
    this.#logFiles.push(...edges.logFiles);
    for (const child of edges.children) this.defer(() => child.stop());
    return edges;
  }

  /** Access logs of minutes of load are large. */
  emptyLogs(): void {
    for (const file of this.#logFiles) truncateSync(file);
  }

  /** Processes that are no subject but part of the bench. */
  get pids(): readonly number[] {
    return [...this.#pids, this.gateway.pid, ...Object.values(this.gateway.ready.pids).flat()];
  }

  /** The environment that sends a tenth of all traces to the upstream, which takes and forgets them. */
  get tracing(): Readonly<Record<string, string>> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.upstreamPort}`,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    };
  }

  /** Returns when every edge serves all chains and every tenant's quota is known. */
  async load(body = benchConfiguration(ROOT, this.upstreamPort)): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    let refusal: string | undefined;
    await eventually(async () => {
      const answer = await this.gateway.admin('/config', { method: 'POST', headers, body });
      if (answer.status !== 201) refusal = `POST /config: ${answer.status} ${answer.text}`;
      const count = this.#edges;
      return refusal !== undefined || answer.headers['x-sluice-acknowledged'] === `${count}/${count}`;
    });
    if (refusal !== undefined) throw new Error(refusal);
    await this.#publishQuotas();
  }

  async #publishQuotas(): Promise<void> {
    const bus = Bus.open({ url: this.gateway.ready.nats, name: 'bench', logger: silentLogger() });
    const jetstream = new JetStream(bus);
    const payload = { limit: 1_000_000, used: 10_000, remaining: 990_000, period: 'monthly' };
    for (let tenant = 0; tenant < TENANTS; tenant++) {
      const eventId = crypto.randomUUID();
      const event = { eventId, occurredAt: new Date().toISOString(), tenantId: `bench-${tenant}`, payload };
      await jetstream.append(quotaUpdated.subject, JSON.stringify(event), { msgId: eventId });
    }
    await bus.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
