import { announceReady, Bus, busLogin, createLogger, runUntilStopped } from '@sluice/service-kit';
import { createIssuer, issuerUrlFor } from './issuer.ts';
import { close, listen } from './listen.ts';
import { publishSampleQuotas, SAMPLE_TENANTS } from './sample-quotas.ts';
import { readDemoSettings } from './settings.ts';
import { loadSigningKey } from './signing-key.ts';
import { createUpstream } from './upstreams.ts';

const STOP_WITHIN_MS = 3_000;

const settings = readDemoSettings(process.env);
const { INSTANCE: instance } = settings;
const logger = createLogger({ service: 'demo', instance, level: settings.LOG_LEVEL });
const stopping = new AbortController();

const upstreams = Object.entries(settings.UPSTREAM_PORTS).map(([name, port]) => ({
  name,
  port,
  server: createUpstream(name),
}));
const ports: Record<string, number> = {};
for (const { name, port, server } of upstreams) ports[name] = await listen(server, port);

let issuerUrl = '';
const issuer = createIssuer(() => issuerUrl, await loadSigningKey(settings.DATA_DIR));
const issuerPort = await listen(issuer, settings.ISSUER_PORT);
issuerUrl = issuerUrlFor(issuerPort);

const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'litellm', logger });
void publishSampleQuotas(bus, logger, stopping.signal);

runUntilStopped(logger, STOP_WITHIN_MS, async () => {
  stopping.abort();
  const servers = [issuer, ...upstreams.map(({ server }) => server)];
  for (const server of servers) server.closeIdleConnections();
  await Promise.all(servers.map(close));
  await bus.drain();
});

const tenants = SAMPLE_TENANTS.map(({ tenantId }) => tenantId).join(', ');
const list = Object.entries(ports).map(([name, port]) => `${name} ${port}`);
announceReady({
  process: 'demo',
  instance,
  ports: { ...ports, issuer: issuerPort },
  detail: `${list.join(' · ')} · issuer ${issuerUrl} · quotas of ${tenants}`,
});
logger.info({ ports, issuerUrl }, 'ready');
