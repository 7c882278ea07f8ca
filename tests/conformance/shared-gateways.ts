import { availableParallelism } from 'node:os';
import type { TestProject } from 'vitest/node';
import { type Ready, RunningGateway } from '../gateway.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** By number of the worker, from 0. */
    gateways: readonly Ready[] | undefined;
  }
}

/** One gateway for each worker, started before the first file and stopped after the last. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { maxWorkers } = project.vitest.config;
  const workers = typeof maxWorkers === 'number' ? maxWorkers : availableParallelism();
  const gateways: RunningGateway[] = [];
  for (let n = 0; n < workers; n++)
    gateways.push(await RunningGateway.start(['--no-demo', '--config', 'none']));
  project.provide(
    'gateways',
    gateways.map(({ ready }) => ready),
  );
  return async () => {
    await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
  };
};
