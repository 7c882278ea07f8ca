/** The gateway that configuration is measured on: two edges on ports of their own, watched for stand-stills. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeYaml } from '@sluice/gateway-config';
import { eventually, freePort } from '@sluice/testkit';
import { AS_SHIPPED, RunningGateway } from '../tests/gateway.ts';
import { generatedConfig } from './generated-config.ts';

export const FORMATS = ['yaml', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface World {
  readonly gateway: RunningGateway;
  readonly edges: readonly string[];
  readonly upstreamPort: number;
  readonly loopDir: string;
}

/** A declarative document as a file says it. */
export const documentText = (document: object, format: Format): string => {
  const whole = { _format_version: '3.0', ...document };
  return format === 'yaml' ? writeYaml(whole) : JSON.stringify(whole);
};

/** @throws Error when the Admin API refuses the document. */
export const post = async (world: World, text: string, format: Format) => {
  const headers = { 'content-type': format === 'yaml' ? 'application/yaml' : 'application/json' };
  const answer = await world.gateway.admin('/config', { method: 'POST', headers, body: text });
  if (answer.status !== 201) throw new Error(`POST /config: ${answer.status} ${answer.text.slice(0, 500)}`);
  return answer;
};

/** The longest stand-still of any edge's event loop since then, in ms. */
export const longestPause = ({ gateway, loopDir }: World, since: number): number => {
  const files = gateway.edgePids.map((pid) => readFileSync(join(loopDir, `${pid}`), 'utf8'));
  const pauses = files.flatMap((text) =>
    text.split('\n').flatMap((line) => {
      const [at, ms] = line.split(' ').map(Number);
      return at !== undefined && ms !== undefined && at >= since ? [ms] : [];
    }),
  );
  return Math.max(0, ...pauses);
};

/** One edge of `sluice up` and one started by hand, each on a port of its own. */
export const startWorld = async (upstreamPort: number): Promise<World> => {
  const loopDir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const probe = new URL('./loop-probe.ts', import.meta.url).href;
  const env = {
    ...AS_SHIPPED,
    BENCH_LOOP_DIR: loopDir,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${probe}`,
  };
  const gateway = await RunningGateway.start(['--no-demo', '--config', 'none'], env);
  const port = await freePort();
  gateway.startService('edge-proxy', { PROXY_PORT: `${port}`, PROXY_HOST: '127.0.0.1' });
  const world = { gateway, edges: [gateway.ready.proxy, `http://127.0.0.1:${port}`], upstreamPort, loopDir };
  const base = generatedConfig(1, { host: '127.0.0.1', port: upstreamPort });
  await eventually(async () => {
    const answer = await post(world, documentText(base.document, 'json'), 'json');
    return answer.headers['x-sluice-acknowledged'] === '2/2';
  });
  return world;
};
