import { type Answer, call, eventually, freePort } from '@sluice/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Document, World } from '../conformance/world.ts';
import { AS_SHIPPED } from '../gateway.ts';
import { type HubAndLeaf, startHubAndLeaf } from './leaf-servers.ts';

// Three servers of the hub need half a minute of elections at times: SLUICE_FAULTS=long.
const SERVERS = process.env.SLUICE_FAULTS === 'long' ? 3 : 1;
const WITHIN_MS = 30_000;
const LIMIT = 100_000;

// One edge at a leaf node beside one at the hub; each test goes on where the one before ended.
let bus: HubAndLeaf;
let world: World;
let site: string;

/** `sluice up` starts its processes when NATS answers; a cluster keeps streams once it has a leader. */
const untilStreams = async (): Promise<void> => {
  const [first] = bus.hub.servers;
  const connection = await connect({
    servers: `127.0.0.1:${first?.port}`,
    user: 'operator',
    pass: 'operator',
  });
  await eventually(async () => (await connection.jetstreamManager()).getAccountInfo(), WITHIN_MS);
  await connection.close();
};

beforeAll(async () => {
  bus = await startHubAndLeaf(SERVERS);
  await untilStreams();
  world = await World.start({ ...AS_SHIPPED, NATS_REPLICAS: `${SERVERS}`, LEASES: 'off' }, [
    '--nats',
    bus.hub.url,
  ]);
  const port = await freePort();
  site = `http://127.0.0.1:${port}`;
  world.gateway.startService('edge-proxy', {
    ...{ NATS_URL: bus.leafUrl, INSTANCE: 'edge-at-leaf', PROXY_HOST: '127.0.0.1', PROXY_PORT: `${port}` },
  });
}, 120_000);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await bus?.[Symbol.asyncDispose]();
});

const guarded = (paths: readonly string[], keys: readonly string[]): Document => ({
  _format_version: '3.0',
  services: [world.service('echo', [{ name: 'all', paths }])],
  consumers: keys.map((key) => ({ username: key, keyauth_credentials: [{ key }] })),
  plugins: [
    { name: 'key-auth' },
    { name: 'rate-limiting', config: { year: LIMIT, policy: 'redis', redis: { host: '127.0.0.1' } } },
  ],
});

const ask = (path: string, apikey: string): Promise<Answer> => call(site, path, { headers: { apikey } });
const isCounted = ({ headers }: Answer): boolean => headers['ratelimit-remaining'] !== undefined;

/** The answer once it has this status, and once the limiter has counted it or is known to be out of reach. */
const until = (path: string, apikey: string, status: number, counted: boolean): Promise<Answer> =>
  eventually(async () => {
    const answer = await ask(path, apikey);
    expect([answer.status, isCounted(answer)]).toEqual([status, counted]);
    return answer;
  }, WITHIN_MS);

const configure = async (document: Document): Promise<string> => {
  const answer = await world.post('/config', document);
  expect(answer.status, answer.text).toBe(201);
  return `${answer.headers['x-sluice-acknowledged']}`;
};
/** The registry hears of an edge, and that it is back, by and by. */
const untilBothAcknowledge = (document: Document): Promise<string | false> =>
  eventually(async () => (await configure(document)) === '2/2' && '2/2', WITHIN_MS);

test('given an edge at a leaf node, when it is configured, then it takes that through the leaf, and credentials and limits are judged at the hub', async () => {
  await eventually(async () => {
    const { text } = await world.admin('/metrics');
    return /^sluice_build_info\{[^}]*edge-at-leaf/m.test(text); // asked and answered through the leaf
  }, WITHIN_MS);
  await untilBothAcknowledge(guarded(['/all'], ['known']));

  // Two in a row that the limiter counted: on a busy machine it may be late for one.
  await eventually(async () => {
    const first = await until('/all', 'known', 200, true);
    const second = await ask('/all', 'known');
    expect(Number(second.headers['ratelimit-remaining'])).toBe(
      Number(first.headers['ratelimit-remaining']) - 1,
    );
  }, WITHIN_MS);
  expect((await ask('/all', 'nobody')).status).toBe(401);
});

test('given the link is cut, when asked, then the edge serves its configuration to those it knows, without counting, and strangers get 503', async () => {
  bus.cut();

  await until('/all', 'known', 200, false);
  const stranger = await ask('/all', 'later');
  expect(stranger.status).toBe(503);
  expect(stranger.headers['retry-after']).toBe('1');
  expect(await configure(guarded(['/all', '/more'], ['known', 'later']))).toMatch(/^1\//);
  await world.until('/more', 401); // at the hub the change is in force
  expect((await ask('/more', 'known')).status).toBe(404);
  expect((await ask('/all', 'known')).status).toBe(200);
});

test('given the link comes back, when asked, then what changed meanwhile is there, strangers are judged and limits count', async () => {
  bus.mend();

  await until('/more', 'known', 200, true);
  await until('/more', 'later', 200, true);
  await untilBothAcknowledge(guarded(['/all', '/again'], ['known']));
});

test.each([
  ['an edge at the leaf', () => bus.leafUrl, 'edge-proxy'],
  ['a leaf at the hub', () => bus.hub.url, 'leaf'],
])(
  'given the login of %s, when used for what no edge does, then nothing of it is done',
  async (_, url, user) => {
    const { port } = new URL(`${url().split(',')[0]}`);
    const login = { user, pass: user, inboxPrefix: '_INBOX_edge-proxy', ignoreAuthErrorAbort: true };
    const edge = await connect({ servers: `127.0.0.1:${port}`, ...login });
    const heard = await Promise.all(
      ['$JS.API.STREAM.DELETE.CONFIG', '$JS.sluice.API.STREAM.DELETE.CONFIG', 'config.committed'].map(
        (subject) =>
          edge.request(subject, '', { timeout: 500 }).then(
            (answer) => answer.string(),
            () => 'nothing',
          ),
      ),
    );
    expect(heard).toEqual(['nothing', 'nothing', 'nothing']);
    await edge.close();
  },
);
