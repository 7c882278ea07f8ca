import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { choice, flag, headerName, record } from './fields.ts';
import { REQUEST_ID } from './headers.ts';
import { definePlugin, type Plugin } from './plugin.ts';
import type { Ports } from './ports.ts';

const PRIORITY = 100_001; // before everything that logs, forwards or refuses
const MAX_ID_CHARS = 256;
const GENERATORS = ['uuid', 'uuid#counter', 'tracker'] as const;

const configWith = (header: string, generator: (typeof GENERATORS)[number], echo: boolean) =>
  record({
    header_name: headerName().default(header).describe('Header that carries the id.'),
    generator: choice(GENERATORS).default(generator).describe('How an id is made when the client sent none.'),
    echo_downstream: flag().default(echo).describe('Send the id back to the client, also on errors.'),
  });
const Config = configWith('Kong-Request-ID', 'uuid#counter', false);

const prepare = ({ header_name, generator, echo_downstream }: z.output<typeof Config>) => ({
  header: header_name,
  // Both plugins share an id when they use the same header.
  memoKey: `correlation-id:${header_name.toLowerCase()}`,
  generator,
  isEchoed: echo_downstream,
  series: { uuid: '', count: 0 },
});
type Prepared = ReturnType<typeof prepare>;

const countUp = (series: Prepared['series'], ports: Ports): string => {
  series.uuid ||= ports.uuid();
  series.count++;
  return `${series.uuid}#${series.count}`;
};

const trackerOf = ({ clientIp, connection }: Exchange, now: number): string => {
  const { remotePort, serial, requests } = connection;
  return [clientIp, remotePort, process.pid, serial, requests, (now / 1000).toFixed(3)].join('-');
};

const generate = (exchange: Exchange, { generator, series }: Prepared, ports: Ports): string => {
  switch (generator) {
    case 'uuid':
      return ports.uuid();
    case 'uuid#counter':
      return countUp(series, ports);
    case 'tracker':
      return trackerOf(exchange, exchange.startedAt);
  }
};

/** The request's id: the client's if it is usable, else the one generated for this request. */
const idOf = (exchange: Exchange, prepared: Prepared, ports: Ports): string => {
  const known = exchange.memo.get(prepared.memoKey);
  if (typeof known === 'string') return known;
  const sent = exchange.fromClient.get(prepared.header)?.trim() ?? '';
  const isUsable = sent !== '' && sent.length <= MAX_ID_CHARS;
  const id = isUsable ? sent : generate(exchange, prepared, ports);
  exchange.memo.set(prepared.memoKey, id);
  return id;
};

const defineCorrelation = (name: string, summary: string, config: typeof Config): Plugin =>
  definePlugin({
    name,
    priority: PRIORITY,
    reads: { namedBy: ['header_name'] },
    summary,
    config,
    prepare,
    access: (exchange, prepared, ports) => {
      exchange.toUpstream.set(prepared.header, idOf(exchange, prepared, ports));
      return undefined;
    },
    response: (exchange, prepared, ports) => {
      if (prepared.isEchoed) exchange.toClient.set(prepared.header, idOf(exchange, prepared, ports));
    },
  });

/** Kong's `correlation-id`: every request has an id, on both sides. */
export const correlationId = defineCorrelation('correlation-id', 'Gives every request an id.', Config);

/** The original platform's `request-id`, which Kong never had: `correlation-id` with other defaults. */
export const requestId = defineCorrelation(
  'request-id',
  'Gives every request an X-Request-Id; the same id as correlation-id under the same header.',
  configWith(REQUEST_ID, 'uuid', true),
);
