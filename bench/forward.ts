/**
 * What forwarding a request costs: `npm run bench -- forward`. CPU-µs of the process (user and system, from /proc)
 * for each request of 64 kept connections, a plain route to an upstream that answers 1 KiB of JSON. Everything is up
 * at once and loaded in turn, so on a busy machine the ratios hold and the absolute figures do not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort } from '@sluice/testkit';
import { createProxyServer } from 'http-proxy-3';
import { AS_SHIPPED, RunningGateway } from '../tests/gateway.ts';

const CONNECTIONS = 64;
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const LOAD_MS = 2000;
const WARM_UP_MS = 2000;
const TICK_MICROS = 10_000; // of /proc on Linux

const [role, argument = ''] = process.argv.slice(2);

/** A part of the bench in a process of its own: started with its role, says its port. */
const startPart = async (name: string, port = ''): Promise<{ process: ChildProcess; port: number }> => {
  const part = fork(import.meta.filename, [name, port], { stdio: 'inherit' });
  const said = await new Promise<number>((resolve) => part.once('message', (m) => resolve(Number(m))));
  return { process: part, port: said };
};

const listen = (server: ReturnType<typeof createServer>) =>
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

const BODY = JSON.stringify({ text: 'x'.repeat(1024 - 11) });

const serveUpstream = () =>
  listen(
    createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length });
      response.end(BODY);
    }),
  );

const serveBareProxy = (port: number) => {
  const proxy = createProxyServer({
    agent: new Agent({ keepAlive: true }),
    target: `http://127.0.0.1:${port}`,
  });
  proxy.on('error', () => undefined);
  listen(createServer((request, response) => proxy.web(request, response)));
};

/** Answers a message `{ port, ms }` with how many requests were answered in that time. */
const serveLoad = () => {
  process.on('message', (asked: { port: number; ms: number }) => {
    void load(asked.port, asked.ms).then((answered) => process.send?.(answered));
  });
  process.send?.(0);
};

const REQUEST = Buffer.from('GET /bench HTTP/1.1\r\nHost: bench.test\r\nAccept: */*\r\n\r\n');

const load = async (port: number, ms: number): Promise<number> => {
  let answered = 0;
  const until = performance.now() + ms;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        // The body's last bytes; the head alone is far shorter than the body.
        if (bytes < BODY.length || chunk.at(-1) !== 0x7d) return;
        bytes = 0;
        answered += 1;
        if (performance.now() < until) socket.write(REQUEST);
        else socket.end();
      });
      socket.write(REQUEST);
      await new Promise<void>((closed) => {
        socket.once('close', () => closed());
        socket.once('error', () => closed());
      });
    }),
  );
  return answered;
};

const ticksOf = (pid: number): number => {
  const [user, system] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return Number(user) + Number(system);
};

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly micros: number[];
}

/** An edge on the gateway's bus with that engine; its access log is off, which is no part of forwarding. */
const startEdge = async (gateway: RunningGateway, engine: string): Promise<Subject> => {
  const port = await freePort();
  gateway.startService('edge-proxy', {
    PROXY_PORT: `${port}`,
    PROXY_HOST: '127.0.0.1',
    FORWARD_ENGINE: engine,
    ACCESS_LOG: 'off',
    DATA_DIR: join(gateway.dataDir, `bench-${engine}`),
  });
  return { name: `edge, ${engine}`, port, pid: gateway.edgePids.at(-1) ?? 0, micros: [] };
};

const post = async (gateway: RunningGateway, upstreamPort: number): Promise<void> => {
  const to = { name: 'bench', host: '127.0.0.1', port: upstreamPort };
  const services = [{ ...to, routes: [{ name: 'bench', paths: ['/'] }] }];
  const body = JSON.stringify({ _format_version: '3.0', services });
  await eventually(async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await gateway.admin('/config', { method: 'POST', headers, body });
    return answer.headers['x-sluice-acknowledged'] === '3/3';
  });
};

const burst = (client: ChildProcess, port: number, ms: number): Promise<number> => {
  client.send({ port, ms });
  return new Promise((resolve) => client.once('message', (m) => resolve(Number(m))));
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const measure = async (): Promise<void> => {
  const upstream = await startPart('upstream');
  const bare = await startPart('bare', `${upstream.port}`);
  const client = await startPart('load');
  await using gateway = await RunningGateway.start(['--no-demo', '--config', 'none'], AS_SHIPPED);
  const edges = [await startEdge(gateway, 'undici'), await startEdge(gateway, 'http-proxy-3')];
  await post(gateway, upstream.port);
  const reference = { name: 'bare http-proxy-3', port: bare.port, pid: bare.process.pid ?? 0, micros: [] };
  const subjects: readonly Subject[] = [reference, ...edges];
  for (const { port } of subjects) await burst(client.process, port, WARM_UP_MS);
  for (let round = 0; round < ROUNDS; round++)
    for (const { port, pid, micros } of subjects) {
      const before = ticksOf(pid);
      const answered = await burst(client.process, port, LOAD_MS);
      micros.push(((ticksOf(pid) - before) * TICK_MICROS) / answered);
      await sleep(200);
    }
  const unit = median(subjects[0]?.micros ?? []);
  for (const { name, micros } of subjects) {
    const [low, middle, high] = [Math.min(...micros), median(micros), Math.max(...micros)];
    const row = [low, middle, high].map((value) => value.toFixed(1));
    const text = `${name}: ${row[1]} CPU-µs a request (${row[0]} to ${row[2]}), ${(middle / unit).toFixed(2)} of bare`;
    process.stdout.write(`${text}\n`);
  }
  for (const part of [upstream, bare, client]) part.process.kill();
};

if (role === 'upstream') serveUpstream();
else if (role === 'bare') serveBareProxy(Number(argument));
else if (role === 'load') serveLoad();
else await measure();
