import { call, eventually, freePort } from '@sluice/testkit';
import { beforeAll, expect, test } from 'vitest';
import { generatedConfig } from '../../bench/generated-config.ts';
import { startLoad } from '../../bench/light-load.ts';
import { World } from './world.ts';

const ROUTES = 10_000;
const SAMPLED = 200;
const LOADED_PATH = '/v1/tenants/t0/agents/1'; // in the small configuration and in the large one

let world: World;
let edges: readonly string[];
let upstream: { host: string; port: number };

beforeAll(async () => {
  // 201 then says that every edge has it, however busy the machine is.
  world = await World.start({ ACK_TIMEOUT_MS: '60000' });
  const second = await freePort();
  world.gateway.startService('edge-proxy', { PROXY_PORT: `${second}`, PROXY_HOST: '127.0.0.1' });
  edges = [world.gateway.ready.proxy, `http://127.0.0.1:${second}`];
  upstream = { host: '127.0.0.1', port: world.upstream.port };
  await eventually(async () => {
    const answer = await post(generatedConfig(1, upstream).document);
    return answer.headers['x-sluice-acknowledged'] === '2/2';
  });
  return () => world[Symbol.asyncDispose]();
});

const post = (document: object) => world.post('/config', { _format_version: '3.0', ...document });

/** What each edge answers on a path. */
const statuses = (path: string) => Promise.all(edges.map(async (edge) => (await call(edge, path)).status));

test('given two edges under load, when a file of 10,000 routes is posted, then the answer is 201, both edges serve its routes and no request fails', async () => {
  const { document, pathOf } = generatedConfig(ROUTES, upstream);
  const isPlain = (route: number) => route % 50 !== 7; // without conditions on headers
  const sampled = Array.from({ length: SAMPLED }, (_, n) => (n * (ROUTES / SAMPLED) + n) % ROUTES);
  const load = startLoad(edges, LOADED_PATH, 20);
  await eventually(() => load.samples.length >= 10);

  const answer = await post(document);

  expect(answer.status).toBe(201);
  expect(answer.headers['x-sluice-acknowledged']).toBe('2/2');
  expect(Object.keys(answer.json<{ routes: object }>().routes)).toHaveLength(ROUTES);
  for (const route of sampled.filter(isPlain))
    expect(await statuses(pathOf(route)), `route ${route}`).toEqual([200, 200]);
  const before = load.samples.length;
  await eventually(() => load.samples.length > before + 10);
  await load.stop();
  expect(load.samples.filter(({ status }) => status !== 200)).toEqual([]);
});
