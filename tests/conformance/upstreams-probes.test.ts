import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EchoUpstream } from './echo-upstream.ts';
import { type Document, World } from './world.ts';

/* How active checks ask, one field of `healthchecks.active` after another, and targets by SRV records (kong-compat 2.3). */

const PORT_BYTES = [0, 0];
/** A name in DNS's form: each label with its length. */
const labels = (name: string): number[] => [
  ...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
];
const record = (type: number, data: readonly number[]): number[] => [
  ...[0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff],
  ...data,
];
const ADDRESS = 1;
const SRV = 33;

/** Answers every question for SRV with `targets`, every other one with 127.0.0.1. */
const startDns = async (targets: () => readonly { port: number; weight: number; priority: number }[]) => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (question, from) => {
    const end = question.indexOf(0, 12) + 5;
    const type = question.readUInt16BE(end - 4);
    const records =
      type === SRV
        ? targets().map(({ port, weight, priority }) =>
            record(SRV, [
              ...[0, priority, weight >> 8, weight & 0xff, port >> 8, port & 0xff],
              ...labels('node.test'),
            ]),
          )
        : type === ADDRESS
          ? [record(ADDRESS, [127, 0, 0, 1])]
          : [];
    const head = [
      ...question.subarray(0, 2),
      0x81,
      0x80,
      0,
      1,
      0,
      records.length,
      ...PORT_BYTES,
      ...PORT_BYTES,
    ];
    server.send(
      Buffer.from([...head, ...question.subarray(12, end), ...records.flat()]),
      from.port,
      from.address,
    );
  });
  return server;
};

let world: World;
let dns: Datagrams;
let one: EchoUpstream;
let other: EchoUpstream;
let secure: https.Server;
let srv: { port: number; weight: number; priority: number }[] = [];
const names: (string | false | null)[] = [];
beforeAll(async () => {
  [one, other, dns] = await Promise.all([
    EchoUpstream.start('one'),
    EchoUpstream.start('other'),
    startDns(() => srv),
  ]);
  secure = https.createServer(issueCertificate('probe.test'), (request, response) => {
    names.push((request.socket as TLSSocket).servername);
    response.setHeader('X-Upstream', 'secure').end();
  });
  await new Promise<void>((listening) => secure.listen(0, '127.0.0.1', listening));
  world = await World.start({ DNS_RESOLVER: `127.0.0.1:${(dns.address() as AddressInfo).port}` });
  one.answerWith('late', { delayMs: 5000 });
  one.answerWith('teapot', { status: 418 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  for (const echo of [one, other]) await echo[Symbol.asyncDispose]();
  secure.closeAllConnections();
  secure.close();
  dns.close();
});

let made = 0;
/** A pool of those targets under a path of its own. */
const load = async (upstream: Document, service: Document = {}): Promise<string> => {
  made += 1;
  const name = `probed${made}`;
  await world.load({
    services: [
      world.service(name, [{ paths: [`/${name}`] }], { host: `${name}.upstream`, port: 1, ...service }),
    ],
    upstreams: [{ name: `${name}.upstream`, ...upstream }],
  });
  return `/${name}`;
};
const targets = (...ports: readonly number[]) => ports.map((port) => ({ target: `127.0.0.1:${port}` }));
const checked = (active: Document): Document => ({ healthchecks: { active } });
/** Who serves the next eight requests, by name or status. */
const serving = async (path: string): Promise<string[]> => {
  const served = new Set<string>();
  for (let i = 0; i < 8; i++) {
    const answer = await world.ask(path);
    served.add(`${answer.headers['x-upstream'] ?? answer.status}`);
  }
  return [...served].sort();
};

test('timeouts, timeout: given a probe that gets no answer in time, then the target is out', async () => {
  const active = {
    http_path: '/?script=late',
    timeout: 0.1,
    healthy: { interval: 0.2 },
    unhealthy: { timeouts: 1 },
  };
  const path = await load({ targets: targets(one.port, other.port), ...checked(active) });
  await eventually(async () => expect(await serving(path)).toEqual(['other']));
});

test('tcp_failures of 0: given a target that refuses, then no number of probes takes it out', async () => {
  const active = { healthy: { interval: 0.05 }, unhealthy: { tcp_failures: 0, http_failures: 1 } };
  const path = await load({ targets: targets(1, other.port), ...checked(active) }, { retries: 0 });
  const before = other.seen.length;
  await eventually(() => other.seen.length > before + 3);
  expect(await serving(path)).toEqual(['502', 'other']);
});

test('unhealthy.http_statuses, healthy.http_statuses: given other lists, then they decide', async () => {
  const active = {
    http_path: '/?script=teapot',
    healthy: { interval: 0.1, successes: 1 },
    unhealthy: { interval: 0.1, http_failures: 1, http_statuses: [418] },
  };
  const path = await load({ targets: targets(one.port, other.port), ...checked(active) });
  await eventually(async () => expect(await serving(path)).toEqual(['other']));
  const well = {
    ...active,
    healthy: { ...active.healthy, http_statuses: [418] },
    unhealthy: { interval: 0.1 },
  };
  await world.post(`/upstreams/${path.slice(1)}.upstream`, checked(well), 'PATCH');
  await eventually(async () => expect(await serving(path)).toEqual(['one', 'other']));
});

test('unhealthy.interval of 0: given a target that is out, then nobody asks whether it is well again', async () => {
  const active = {
    http_path: '/?script=teapot',
    healthy: { interval: 0.1, successes: 1 },
    unhealthy: { http_failures: 1, http_statuses: [418] },
  };
  const path = await load({ targets: targets(one.port, other.port), ...checked(active) });
  await eventually(async () => expect(await serving(path)).toEqual(['other']));
  const [ofOne, ofOther] = [one.seen.length, other.seen.length];
  await eventually(() => other.seen.length > ofOther + 3); // the other one is asked all the time
  expect(one.seen.slice(ofOne).filter(({ url }) => url === '/?script=teapot')).toEqual([]);
});

test.each([
  { given: 'a certificate of nobody, which is looked at', verify: true, served: ['503'] },
  { given: 'a certificate of nobody, which is not looked at', verify: false, served: ['secure'] },
])('type https, https_verify_certificate: given $given, then $served', async ({ verify, served }) => {
  const active = {
    type: 'https',
    https_verify_certificate: verify,
    https_sni: 'probe.test',
    healthy: { interval: 0.1 },
    unhealthy: { tcp_failures: 1 },
  };
  const { port } = secure.address() as AddressInfo;
  const path = await load({ targets: targets(port), ...checked(active) }, { protocol: 'https', retries: 0 });
  if (verify) await eventually(async () => expect(await serving(path)).toEqual(served));
  else await eventually(() => expect(names).toContain('probe.test'));
  expect(await serving(path)).toEqual(served);
});

test.each([
  { concurrency: 1, most: 1 },
  { concurrency: 2, most: 2 },
])('concurrency: given $concurrency and three targets, then $most are asked at a time', async (row) => {
  let underWay = 0;
  let most = 0;
  let asked = 0;
  const slow = await Promise.all(
    [1, 2, 3].map(async () => {
      const server = createServer((_request, response) => {
        underWay += 1;
        asked += 1;
        most = Math.max(most, underWay);
        setTimeout(() => {
          underWay -= 1;
          response.end();
        }, 100);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = slow.map((server) => (server.address() as AddressInfo).port);
  const active = { concurrency: row.concurrency, healthy: { interval: 0.05 } };
  await load({ targets: targets(...ports), ...checked(active) });
  await eventually(() => asked >= 6);
  expect(most).toBe(row.most);
  await load({});
  for (const server of slow) {
    server.closeAllConnections();
    server.close();
  }
});

test('use_srv_name: given SRV records, then their ports and weights count, and of their priorities the first', async () => {
  srv = [
    { port: one.port, weight: 3, priority: 0 },
    { port: other.port, weight: 1, priority: 0 },
    { port: 1, weight: 100, priority: 9 },
  ];
  const path = await load({ use_srv_name: true, targets: [{ target: 'pool.test:80' }] });
  const served: string[] = [];
  for (let i = 0; i < 16; i++) served.push(`${(await world.ask(path)).headers['x-upstream']}`);
  expect(served.filter((name) => name === 'one')).toHaveLength(12);
  expect(served.filter((name) => name === 'other')).toHaveLength(4);
  const answer = await world.ask(path);
  expect(answer.json<{ headers: { host: string } }>().headers.host).toMatch(/^node\.test:\d+$/);
});
