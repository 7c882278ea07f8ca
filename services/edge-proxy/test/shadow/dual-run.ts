import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventually } from '@sluice/testkit';
import { expect } from 'vitest';
import { call, EdgeWorld, type Entities, plugin, route, service, Upstream } from '../edge-world.ts';

type Config = Record<string, unknown>;
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An edge whose upstream and second gateway are two servers that answer the same unless a test says otherwise. */
export const dualRun = async (
  handlers: { here?: Handler; there?: Handler } = {},
  config: Config = {},
  more: Entities = {},
) => {
  const upstream = await Upstream.start(handlers.here ?? order);
  const second = await Upstream.start(handlers.there ?? order);
  const to = service('up', upstream.url);
  const world = await EdgeWorld.start({
    services: [to],
    routes: [route('orders', to)],
    ...more,
    plugins: [plugin('shadow', { url: second.url, ...config }), ...(more.plugins ?? [])],
  });
  return {
    world,
    upstream,
    second,
    get: (path = '/', options?: Parameters<typeof call>[2]) => call(world.port, path, options),
    [Symbol.asyncDispose]: async () => {
      await second[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
};

/** Answers with a body of JSON. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Handler => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
};
/** What both answer unless a test says otherwise. */
export const order = json({ id: 7, total: 12 });

/** Notes bodies of requests, and answers by another handler. */
export const noting =
  (bodies: string[], answer: Handler): Handler =>
  (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    request.on('end', () => {
      bodies.push(text);
      answer(request, response);
    });
  };

/** Figures of the first edge by their series, without the prefix of the family. */
export const figures = async (world: EdgeWorld): Promise<Record<string, number>> => {
  const { text } = await call(world.edges[0]?.ports.status ?? 0, '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith('sluice_shadow_'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice('sluice_shadow_'.length, at), Number(line.slice(at + 1))];
    }),
  );
};
/** Names of series. */
export const copies = (outcome: string, at = 'orders') => `copies_total{route="${at}",outcome="${outcome}"}`;
export const skipped = (reason: string, at = 'orders') => `skipped_total{route="${at}",reason="${reason}"}`;
export const differences = (kind: string) => `differences_total{route="orders",kind="${kind}"}`;

/** Waits until a series has a figure. */
export const until = (world: EdgeWorld, series: string, figure = 1) =>
  eventually(async () => expect((await figures(world))[series]).toBe(figure));
