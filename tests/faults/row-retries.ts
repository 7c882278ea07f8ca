import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sluice/testkit';
import { RunningGateway } from '../gateway.ts';

const RETRIES = 5;
/** As shipped: a fifth of a service's requests, and ten a second in any case. */
const BUDGET_SHARE = 0.2;
const FREE_PER_SECOND = 10;
const CLIENTS = 16;
const PAUSE_MS = 20;
/** Of the requests, the first to the third are GET. */
const POST_EVERY = 4;

export interface RetriesRun {
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** An upstream that hangs up on every request. @returns it, and how often it saw each path. */
const startFailing = async () => {
  const seen = new Map<string, number>();
  const server = createServer((incoming) => {
    const path = incoming.url ?? '';
    seen.set(path, (seen.get(path) ?? 0) + 1);
    incoming.socket.destroy();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, seen, port: (server.address() as AddressInfo).port };
};

const statusOf = (agent: Agent, url: URL, method: string): Promise<number> =>
  new Promise((resolve) => {
    const outgoing = request(url, { agent, method }, (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', () => resolve(0));
    outgoing.end(method === 'POST' ? 'x' : undefined);
  });

/**
 * O3: for half a minute an upstream fails every request.
 * @returns what was repeated more often than it may be.
 */
export const retriesRow = async ({ seconds, say }: RetriesRun): Promise<readonly string[]> => {
  const { server, seen, port } = await startFailing();
  await using gateway = await RunningGateway.start(['--no-demo', '--config', 'none']);
  const up = { name: 'up', host: '127.0.0.1', port, retries: RETRIES };
  const document = {
    _format_version: '3.0',
    services: [{ ...up, routes: [{ name: 'all', paths: ['/'], strip_path: false }] }],
  };
  const headers = { 'content-type': 'application/json' };
  const { proxy } = gateway.ready;
  const agent = new Agent({ keepAlive: true });
  await gateway.admin('/config', { method: 'POST', headers, body: JSON.stringify(document) });
  await eventually(async () => (await statusOf(agent, new URL('/known', proxy), 'POST')) === 502);
  seen.clear();
  const statuses = new Map<number, number>();
  let sent = 0;
  const begun = performance.now();
  const client = async () => {
    while (performance.now() - begun < seconds * 1000) {
      sent += 1;
      const method = sent % POST_EVERY === 0 ? 'POST' : 'GET';
      const status = await statusOf(agent, new URL(`/${method}/${sent}`, proxy), method);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  const posts = [...seen].filter(([path]) => path.startsWith('/POST/'));
  const attempts = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const allowed = sent * (1 + BUDGET_SHARE) + seconds * FREE_PER_SECOND;
  const wrong = [
    ...posts.filter(([, count]) => count > 1).map(([path, count]) => `${path} was sent ${count} times`),
    ...[...seen].filter(([, count]) => count > 1 + RETRIES).map(([path, count]) => `${path}: ${count} times`),
    ...(attempts > allowed ? [`${attempts} attempts, ${Math.round(allowed)} are allowed`] : []),
    ...(statuses.size === 1 && statuses.has(502) ? [] : [`answers ${[...statuses.keys()].join(', ')}`]),
  ];
  say(
    `O3 an upstream that fails for ${seconds} s, retries ${RETRIES}: ${sent} requests, ${attempts} attempts ` +
      `(${(attempts / sent).toFixed(2)} each), ${posts.length} POST once each, at most ${Math.max(...seen.values())} attempts for one`,
  );
  server.closeAllConnections();
  server.close();
  return wrong;
};
