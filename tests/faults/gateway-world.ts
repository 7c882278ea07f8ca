import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, FaultProxy, freePort } from '@sluice/testkit';
import { ConfigLoad, generationAt } from './config-load.ts';
import { DecisionWorld, EDGE_WAITS } from './decision-world.ts';
import { ProcessPart } from './process-part.ts';
import { QuotaWorld } from './quota-world.ts';

const STARTS_WITHIN_MS = 90_000;

/**
 * The world of quotas, and beside it a registry and two edges that reach NATS through a proxy of their own, and what
 * these edges ask.
 */
export class GatewayWorld implements AsyncDisposable {
  readonly quota: QuotaWorld;
  readonly decisions: DecisionWorld;
  readonly configLink: FaultProxy;
  /** The second edge's own way to the link above. */
  readonly farLink: FaultProxy;
  readonly registry: ProcessPart;
  readonly edges: readonly { readonly part: ProcessPart; readonly url: string }[];
  readonly config: ConfigLoad;
  /** Where the Admin API is. */
  readonly admin: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<
      GatewayWorld,
      'quota' | 'decisions' | 'configLink' | 'farLink' | 'registry' | 'edges' | 'config' | 'admin'
    >,
    stack: AsyncDisposableStack,
  ) {
    this.quota = parts.quota;
    this.decisions = parts.decisions;
    this.configLink = parts.configLink;
    this.farLink = parts.farLink;
    this.registry = parts.registry;
    this.edges = parts.edges;
    this.config = parts.config;
    this.admin = parts.admin;
    this.#stack = stack;
  }

  static async start(): Promise<GatewayWorld> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const quota = stack.use(await QuotaWorld.start());
    const decisions = stack.use(await DecisionWorld.start(quota.nats, quota.redis));
    const configLink = stack.use(await FaultProxy.start(quota.nats.port));
    const farLink = stack.use(await FaultProxy.start(configLink.port));
    const NATS_URL = configLink.urlFor(quota.nats.url);
    const adminPort = await freePort();
    const registry = new ProcessPart('config-registry', await freePort(), {
      ...{ NATS_URL, ADMIN_PORT: `${adminPort}`, DATA_DIR: join(folder, 'registry') },
    });
    stack.use(await registry.start());
    const edges: { readonly part: ProcessPart; readonly url: string }[] = [];
    for (const [n, link] of [configLink, farLink].entries()) {
      const port = await freePort();
      const part = new ProcessPart('edge-proxy', await freePort(), {
        ...{
          NATS_URL: link.urlFor(quota.nats.url),
          PROXY_PORT: `${port}`,
          PROXY_HOST: '127.0.0.1',
          DATA_DIR: join(folder, `edge-${n + 1}`),
        },
        ...EDGE_WAITS,
      });
      stack.use(await part.start());
      edges.push({ part, url: `http://127.0.0.1:${port}` });
    }
    const admin = `http://127.0.0.1:${adminPort}`;
    const config = new ConfigLoad(admin, decisions.entities);
    const parts = { quota, decisions, configLink, farLink, registry, edges, config, admin };
    const world = new GatewayWorld(parts, stack.move());
    await eventually(() => config.post(), STARTS_WITHIN_MS);
    await eventually(() => Promise.all(edges.map(({ url }) => generationAt(url))), STARTS_WITHIN_MS);
    await Promise.all([decisions.auth, decisions.ratelimit].map((part) => part.ready()));
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
