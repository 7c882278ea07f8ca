/**
 * How large each service is and how soon it is ready, run as in its image: `npm run bench -- start [TIMES]`. From the
 * start of the process until /readyz answers 200, with NATS and Redis beside it. Others wait on the registry's
 * streams, so it runs all the while.
 */
import { call, freePort, startNats, startRedis } from '@sluice/testkit';
import { codeBytes, ImageLayout, SERVICES } from '../tests/bundles/image.ts';
import { median } from './measure/statistics.ts';
import { wholeNumber } from './measure/whole-number.ts';
import { tableText } from './report/table.ts';

const times = wholeNumber('times', process.argv[3], 7, 'npm run bench -- start [TIMES]');

await using nats = await startNats();
await using redis = await startRedis();
using images = await ImageLayout.of();
const envOf = async () => ({
  ...{ NATS_URL: nats.url, REDIS_URL: redis.url, LOG_LEVEL: 'warn', LOGTO_ISSUER: 'http://127.0.0.1:9/oidc' },
  ...{ PROXY_HOST: '127.0.0.1', PROXY_PORT: `${await freePort()}`, ADMIN_PORT: `${await freePort()}` },
});
const registryEnv = await envOf();
await using _registry = await images.start('config-registry', registryEnv);
const posted = await call(`http://127.0.0.1:${registryEnv.ADMIN_PORT}`, '/config', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"_format_version":"3.0","services":[{"url":"http://127.0.0.1:9","routes":[{"paths":["/"]}]}]}',
});
if (posted.status !== 201) throw new Error(`POST /config: ${posted.status} ${posted.text}`);

const rows: string[][] = [];
for (const service of SERVICES) {
  const readyMs: number[] = [];
  for (let n = 0; n < times; n++) {
    await using container = await images.start(service, await envOf());
    readyMs.push(Math.round(container.readyAfterMs));
    await container.stop();
  }
  const megabytes = (codeBytes(images.appOf(service)) / 1e6).toFixed(2);
  rows.push([service, megabytes, `${median(readyMs)}`, `${Math.max(...readyMs)}`]);
}
process.stdout.write(`${tableText(['service', 'code, MB', 'ready, ms', 'slowest, ms'], rows)}\n`);
