import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecisionRecord } from '@sluice/contracts';
import { type CallOptions, call, eventually } from '@sluice/testkit';
import { type Said, typeSluice } from './command-line.ts';
import { RunningGateway } from './gateway.ts';

const SECRET = 'a-secret-of-alice-that-is-long-enough';

/** A request of the traffic that is recorded, and sent again. */
export interface Sent extends CallOptions {
  readonly path: string;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of alice, who is in the group silver. */
export const aliceToken = (): string => {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'alice-key', exp, tenant_id: 'tenant-alice' })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
};

export const ALICE = `
consumers:
  - username: alice
    jwt_secrets: [{ key: alice-key, algorithm: HS256, secret: ${SECRET} }]
    acls: [{ group: silver }]
`;

/** What is said of a request, in the words of predictions. */
export interface Fate {
  readonly route?: string | undefined;
  readonly verdict: string;
  readonly plugin?: string | undefined;
  readonly code?: string | undefined;
  readonly status: number;
  readonly target?: string | undefined;
}

/** What a record says became of its request. */
export const fateOf = ({ route, outcome, plugins, refusal, status, upstream }: DecisionRecord): Fate => ({
  route: route?.name,
  verdict: outcome,
  plugin: plugins.find(({ verdict, reason }) => verdict === 'refused' || reason === 'answered')?.plugin,
  code: refusal?.code,
  status,
  target: upstream?.target,
});

const startUpstream = async (status: number): Promise<Server> => {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(status).end('said by the upstream\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A fleet of two edges before two upstreams, of which one answers with 200 and the other with 202. */
export class SimulateWorld implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly #upstreams: readonly Server[];
  readonly #folder: string;

  private constructor(gateway: RunningGateway, upstreams: readonly Server[], folder: string) {
    this.gateway = gateway;
    this.#upstreams = upstreams;
    this.#folder = folder;
  }

  static async start(configuration: (ports: readonly number[]) => string): Promise<SimulateWorld> {
    const upstreams = await Promise.all([startUpstream(200), startUpstream(202)]);
    const folder = mkdtempSync(join(tmpdir(), 'sluice-simulate-'));
    const file = join(folder, 'live.yml');
    writeFileSync(file, configuration(upstreams.map(portOf)));
    const args = ['--no-demo', '--edges', '2', '--restart=never', '--config', file];
    const gateway = await RunningGateway.start(args, { DECISION_SAMPLE: '0' });
    return new SimulateWorld(gateway, upstreams, folder);
  }

  get ports(): readonly number[] {
    return this.#upstreams.map(portOf);
  }

  write(name: string, text: string): string {
    const file = join(this.#folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** The command line, in this process. */
  sluice(...args: string[]): Promise<Said> {
    return typeSluice([...args, '--data-dir', this.gateway.dataDir]);
  }

  /** Sends requests one after another, and waits until the edges remember them all; their ids, in order. */
  async drive(traffic: readonly Sent[]): Promise<string[]> {
    const ids: string[] = [];
    for (const { path, ...options } of traffic) {
      const { headers } = await call(this.gateway.ready.proxy, path, options);
      ids.push(`${headers['x-kong-request-id']}`);
    }
    await this.records(ids);
    return ids;
  }

  /** The records of requests, in the order of their ids. */
  async records(ids: readonly string[]): Promise<DecisionRecord[]> {
    return eventually(async () => {
      const answer = await this.gateway.admin('/decisions?limit=500');
      const { data } = answer.json<{ data: DecisionRecord[] }>();
      const found = ids.map((id) => data.find(({ requestId }) => requestId === id));
      if (found.includes(undefined)) throw new Error('the edges do not remember all of them yet');
      return found as DecisionRecord[];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    for (const upstream of this.#upstreams) {
      upstream.closeAllConnections();
      upstream.close();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
