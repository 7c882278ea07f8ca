/**
 * How soon a revocation is in force: `npm run bench -- revoke`. A gateway with two edges that both remember the
 * credential; it is revoked while both are asked with it again and again. Taken is the time from the request to the
 * Admin API until the second edge refuses for the first time, and until the Admin API answers. Writes its rows into
 * docs/performance.md with `--write`.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './light-load.ts';
import { documentText, post, startWorld, type World } from './two-edges.ts';

const REVOCATIONS = 200; // of each kind
const WARM_UP = 10;
/** Between two questions to one edge, in ms: asked without a pause, edges and registry wait for the processor. */
const PAUSE_MS = 2;
const SECRET = 'of-the-bench-only';
const PAGE = join(import.meta.dirname, '..', 'docs', 'performance.md');
const MARKS = ['<!-- revoke: written by npm run bench -- revoke --write -->', '<!-- /revoke -->'] as const;
const agent = new Agent({ keepAlive: true });

interface Credential {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly revoke: () => Promise<void>;
}

const statusOf = (origin: string, { path, headers }: Credential): Promise<number> =>
  new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, origin), { agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', reject).end();
  });

const sendAdmin = async ({ gateway }: World, method: string, path: string, body?: object) => {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await gateway.admin(path, { method, ...(body === undefined ? {} : json) });
  if (answer.status >= 300)
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
  return answer;
};

const newToken = async (world: World): Promise<Credential> => {
  const jti = randomUUID();
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ iss: 'bench', exp: 4_000_000_000, jti })}`;
  const signature = createHmac('sha256', SECRET).update(signed).digest('base64url');
  return {
    path: '/token',
    headers: { authorization: `Bearer ${signed}.${signature}` },
    revoke: async () =>
      void (await sendAdmin(world, 'POST', '/sluice/revocations', { by: 'jti', value: jti })),
  };
};

const newKey = async (world: World): Promise<Credential> => {
  const answer = await sendAdmin(world, 'POST', '/sluice/keys', { tenant: 'bench', name: 'bench' });
  const { text, key } = answer.json<{ text: string; key: { id: string } }>();
  return {
    path: '/key',
    headers: { apikey: text },
    revoke: async () => void (await sendAdmin(world, 'DELETE', `/sluice/keys/${key.id}`)),
  };
};

/** Ms from the start until this edge refuses. */
const untilRefused = async (origin: string, credential: Credential, begun: number): Promise<number> => {
  for (;;) {
    const status = await statusOf(origin, credential);
    if (status === 401) return performance.now() - begun;
    if (status !== 200) throw new Error(`${credential.path}: ${status}`);
    await sleep(PAUSE_MS);
  }
};

const measureOne = async ({ edges }: World, credential: Credential) => {
  for (const edge of [...edges, ...edges]) {
    const status = await statusOf(edge, credential);
    if (status !== 200) throw new Error(`${credential.path} before it is revoked: ${status}`);
  }
  const begun = performance.now();
  const answered = credential.revoke().then(() => performance.now() - begun);
  const refused = await Promise.all(edges.map((edge) => untilRefused(edge, credential, begun)));
  return { refusedMs: Math.max(...refused), answeredMs: await answered };
};

const rounded = (values: readonly number[]) => ({
  p50: percentile(values, 0.5).toFixed(1),
  p99: percentile(values, 0.99).toFixed(1),
  max: Math.max(...values).toFixed(1),
});

const measure = async (world: World, make: (world: World) => Promise<Credential>) => {
  for (let n = 0; n < WARM_UP; n++) await measureOne(world, await make(world));
  const samples: Awaited<ReturnType<typeof measureOne>>[] = [];
  for (let n = 0; n < REVOCATIONS; n++) samples.push(await measureOne(world, await make(world)));
  return {
    refused: rounded(samples.map(({ refusedMs }) => refusedMs)),
    answered: rounded(samples.map(({ answeredMs }) => answeredMs)),
  };
};

const upstream = createServer((_request, response) => response.end('ok'));
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
const { port } = upstream.address() as AddressInfo;
const world = await startWorld(port);
{
  await using _running = world.gateway;
  const routes = [
    { name: 'token', paths: ['/token'], plugins: [{ name: 'jwt' }] },
    { name: 'key', paths: ['/key'], plugins: [{ name: 'key-auth' }] },
  ];
  const document = {
    services: [{ name: 'up', url: `http://127.0.0.1:${port}`, routes }],
    consumers: [{ username: 'bench', jwt_secrets: [{ key: 'bench', secret: SECRET }] }],
  };
  await post(world, documentText(document, 'json'), 'json');
  const load = loadavg()[0]?.toFixed(1);
  const kinds = [
    ['token, by its `jti`', await measure(world, newToken)],
    ['API key', await measure(world, newKey)],
  ] as const;
  const rows = kinds.map(
    ([kind, { refused, answered }]) =>
      `| ${kind} | ${refused.p50} | ${refused.p99} | ${refused.max} | ${answered.p50} | ${answered.p99} | ${answered.max} |`,
  );
  const table = [
    '| revoked | refused by both, p50 ms | p99 | max | answered, p50 ms | p99 | max |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Load of the machine when it began: ${load} on ${availableParallelism()} processors.`,
  ].join('\n');
  process.stdout.write(`${table}\n`);
  if (process.argv.includes('--write')) {
    const page = readFileSync(PAGE, 'utf8');
    const [start, end] = MARKS.map((mark) => page.indexOf(mark));
    if (start === undefined || end === undefined || start < 0 || end < start)
      throw new Error(`${PAGE} has not both of ${MARKS.join(' and ')}`);
    writeFileSync(PAGE, `${page.slice(0, start)}${MARKS[0]}\n\n${table}\n\n${page.slice(end)}`);
  }
}
agent.destroy();
upstream.close();
