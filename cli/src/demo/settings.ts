import { readSettings, sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

const upstreamPorts = z
  .string()
  .transform((text) => Object.fromEntries(text.split(',').map((pair) => pair.split('='))) as unknown)
  .pipe(z.record(z.string().min(1), port));

const DemoSettings = z.object({
  NATS_URL: sharedSettings.NATS_URL,
  NATS_USER: sharedSettings.NATS_USER,
  NATS_PASSWORD: sharedSettings.NATS_PASSWORD,
  ISSUER_PORT: port.default(3001).describe('Port of the development OIDC issuer; 0 takes a free one.'),
  UPSTREAM_PORTS: upstreamPorts.describe('name=port of each upstream, separated by commas.'),
  DATA_DIR: z.string().min(1).describe('Holds the signing key, so that tokens outlive a restart.'),
  INSTANCE: z.string().default('demo-1'),
  LOG_LEVEL: z.string().default('info'),
});
export type DemoSettings = z.output<typeof DemoSettings>;

export const readDemoSettings = (env: NodeJS.ProcessEnv): DemoSettings => readSettings(DemoSettings, env);
