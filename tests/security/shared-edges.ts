import { availableParallelism } from 'node:os';
import { call, eventually, freePort } from '@sluice/testkit';
import type { TestProject } from 'vitest/node';
import { type Ready, RunningGateway } from '../gateway.ts';

/** A gateway with an edge for each engine. */
export interface ReadyEdges extends Ready {
  readonly dataDir: string;
  /** Origins of the proxy ports. */
  readonly edges: Readonly<Record<'undici' | 'http-proxy-3', string>>;
  readonly edgePids: Readonly<Record<'undici' | 'http-proxy-3', number>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** By number of the worker, from 0. */
    edges: readonly ReadyEdges[] | undefined;
  }
}

const START_MS = 60_000;

/** `sluice up` forwards with undici; one more edge of the same gateway with http-proxy-3. */
export const startEdges = async (
  settings: NodeJS.ProcessEnv = {},
): Promise<{ gateway: RunningGateway; ready: ReadyEdges }> => {
  const gateway = await RunningGateway.start(['--no-demo', '--config', 'none'], {
    ...settings,
    FORWARD_ENGINE: 'undici',
  });
  const port = await freePort();
  gateway.startService('edge-proxy', {
    ...settings,
    FORWARD_ENGINE: 'http-proxy-3',
    PROXY_HOST: '127.0.0.1',
    PROXY_PORT: `${port}`,
  });
  const other = `http://127.0.0.1:${port}`;
  // Two gateways start at once: on a machine that has other work to do that can take half a minute.
  await eventually(async () => (await call(other, '/').catch(() => undefined))?.status === 404, START_MS);
  const edges = { undici: gateway.ready.proxy, 'http-proxy-3': other };
  const [first = 0, second = 0] = gateway.edgePids;
  const edgePids = { undici: first, 'http-proxy-3': second };
  return { gateway, ready: { ...gateway.ready, dataDir: gateway.dataDir, edges, edgePids } };
};

/** One gateway for each worker, started before the first file and stopped after the last. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { maxWorkers } = project.vitest.config;
  const workers = typeof maxWorkers === 'number' ? maxWorkers : availableParallelism();
  const started = await Promise.all(Array.from({ length: workers }, () => startEdges()));
  project.provide(
    'edges',
    started.map(({ ready }) => ready),
  );
  return async () => {
    await Promise.all(started.map(({ gateway }) => gateway[Symbol.asyncDispose]()));
  };
};
