import { edgeDecision } from '@sluice/contracts';
import { createLogger } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, route, service, Upstream } from './edge-world.ts';

/** A second edge whose log is read, and its lines about requests. */
const loggedEdge = async (world: EdgeWorld, settings: Record<string, string> = {}) => {
  const lines: string[] = [];
  const options = { service: 'edge-proxy', instance: 'edge-1', level: 'info' };
  const logger = createLogger(options, { write: (text) => lines.push(...text.trimEnd().split('\n')) });
  const edge = await world.addEdge(settings, logger);
  await world.settled();
  const requests = () =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'request');
  return { port: edge.ports.proxy, logger, lines, requests };
};

test('given requests that are forwarded and refused, then each leaves one line that says where it went and why', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to, { paths: ['/in'] })],
  });
  const { port, requests, lines } = await loggedEdge(world);

  await call(port, '/in/a%22b?apikey=s3cret', { headers: { authorization: 'Bearer s3cret' } });
  await call(port, '/nowhere');
  await eventually(() => requests().length === 2);

  const [forwarded, refused] = requests();
  expect(forwarded).toEqual({
    ...{ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), instance: 'edge-1' },
    ...{
      request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    },
    ...{ method: 'GET', path: '/in/a%22b', status: 200, route: 'all', service: 'up' },
    ...{ target: new URL(upstream.url).host, decision: 'forwarded', client: '127.0.0.1' },
    ...{ duration_ms: expect.any(Number), upstream_ms: expect.any(Number), msg: 'request' },
  });
  expect(refused).toMatchObject({ path: '/nowhere', status: 404, decision: 'GW_NO_ROUTE' });
  expect(Object.keys(refused ?? {})).not.toContain('route');
  expect(lines.join('')).not.toContain('s3cret');
});

test('given only errors are to be logged, when the level is raised while it runs, then not even those are', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to, { paths: ['/in'] })],
  });
  const { port, logger, requests } = await loggedEdge(world, { ACCESS_LOG: 'errors' });

  await call(port, '/in');
  await call(port, '/nowhere');
  await eventually(() => requests().length === 1);
  logger.level = 'warn';
  await call(port, '/nowhere');
  logger.level = 'info';
  await call(port, '/elsewhere');
  await eventually(() => requests().length === 2);

  expect(requests().map(({ path }) => path)).toEqual(['/nowhere', '/elsewhere']);
});

test('given a sample of none, when requests pass, are refused and fail, then what went well is left out and nothing else', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  const gone = service('gone', 'http://127.0.0.1:1', { retries: 0 });
  await using world = await EdgeWorld.start({
    services: [to, gone],
    routes: [route('all', to, { paths: ['/in'] }), route('dead', gone, { paths: ['/dead'] })],
  });
  const { port, requests } = await loggedEdge(world, { ACCESS_LOG_SAMPLE: '0' });

  for (const path of ['/in', '/nowhere', '/in', '/dead', '/in', '/nowhere/last']) await call(port, path);
  await eventually(() => requests().some(({ path }) => path === '/nowhere/last'));

  expect(requests().map(({ path, status }) => `${path} ${status}`)).toEqual([
    ...['/nowhere 404', '/dead 502', '/nowhere/last 404'],
  ]);
});

const SECRET = 's3cret-and-not-to-be-told';
const BASIC = Buffer.from(`someone:${SECRET}`).toString('base64');

const PLACES: readonly (readonly [string, string, Record<string, string>])[] = [
  ['a bearer token', '/in', { authorization: `Bearer ${SECRET}` }],
  ['a password', '/in', { authorization: `Basic ${BASIC}` }],
  ['a proxy password', '/in', { 'proxy-authorization': `Basic ${BASIC}` }],
  ['an API key', '/in', { apikey: SECRET, 'x-api-key': SECRET }],
  ['a cookie', '/in', { cookie: `session=${SECRET}` }],
  ['a query', `/in?jwt=${SECRET}&anything=${SECRET}`, {}],
  ['a query that no route takes', `/nowhere?apikey=${SECRET}`, {}],
  ['a query with an encoded name', `/in?%6a%77%74=${SECRET}`, {}],
  ['a query after a path that cannot be read', `/in%zz?jwt=${SECRET}`, {}],
  ['the login of an absolute target', `http://someone:${SECRET}@127.0.0.1/in`, {}],
  ['what travels with a trace', '/in', { tracestate: `a=${SECRET}`, baggage: `user=${SECRET}` }],
  ['the names of client and page', '/in', { 'user-agent': SECRET, referer: `http://a/?token=${SECRET}` }],
];

test('given secrets wherever clients put them, when the requests are logged, then no line and no decision record has one, plain or encoded', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to, { paths: ['/in'] })],
  });
  const { port, requests, lines } = await loggedEdge(world);
  for (const [where, path, headers] of PLACES) {
    const before = requests().length;
    await call(port, path, { headers });
    await eventually(() => requests().length > before);
    for (const secret of [SECRET, BASIC]) expect(lines.join(''), where).not.toContain(secret);
  }
  const told = await world.bus.scatter(edgeDecision, { limit: 100 }, world.edges.length);
  const paths = told.flatMap(({ records }) => records.map(({ path }) => path));
  expect(paths).toHaveLength(PLACES.length);
  for (const secret of [SECRET, BASIC]) expect(JSON.stringify(told)).not.toContain(secret);
});
