import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sluice/testkit';
import { type Child, startChild } from '../measure/children.ts';
import { COMPILE_CACHE, mainOf, sourceOf } from '../measure/processes.ts';

export interface EdgeSetup {
  readonly name: string;
  readonly folder: string;
  readonly natsUrl: string;
  /** Edges that share the port, one process each. */
  readonly count: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Of Node itself. */
  readonly flags?: readonly string[];
  /** To be read by people: functions keep their names and files. */
  readonly isFromSource?: boolean;
}

export interface Edges {
  readonly port: number;
  readonly statusPorts: readonly number[];
  readonly children: readonly Child[];
  readonly logFiles: readonly string[];
}

/** Edges as a deployment starts them, by their environment alone; the access log goes to a file, as under `up`. */
export const startEdges = async (setup: EdgeSetup): Promise<Edges> => {
  const { name, folder, natsUrl, count, settings, flags = [], isFromSource = false } = setup;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const started = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const instance = `bench-${name}-${index + 1}`;
      const statusPort = await freePort();
      const env = {
        INSTANCE: instance,
        NATS_URL: natsUrl,
        STATUS_PORT: `${statusPort}`,
        PROXY_HOST: '127.0.0.1',
        PROXY_PORT: `${port}`,
        REUSE_PORT: count > 1 ? 'true' : 'false',
        DATA_DIR: join(folder, instance),
        ...COMPILE_CACHE,
        ...settings,
      };
      const args = [...flags, isFromSource ? sourceOf('edge-proxy') : mainOf('edge-proxy')];
      const logFile = join(folder, `${instance}.log`);
      const child = await startChild({ command: process.execPath, args, env, logFile, port: statusPort });
      return { child, statusPort, logFile };
    }),
  );
  return {
    port,
    statusPorts: started.map(({ statusPort }) => statusPort),
    children: started.map(({ child }) => child),
    logFiles: started.map(({ logFile }) => logFile),
  };
};
