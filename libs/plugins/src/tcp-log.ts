import { customFields } from './custom-fields.ts';
import { defineLogger } from './define-logger.ts';
import { decimal, flag, record, text, unset } from './fields.ts';
import { LINE_QUEUE, networkFields } from './log-queue.ts';

const Config = record({
  ...networkFields(10_000),
  keepalive: decimal().default(60_000).describe('How long an idle connection is kept, in ms.'),
  tls: flag().default(false).describe('Connect over TLS.'),
  tls_sni: unset(text()).describe('Server name for TLS; unset: the host.'),
  custom_fields_by_lua: customFields(),
});

/** Kong's `tcp-log`: sends the record of every request over a TCP connection. */
export const tcpLog = defineLogger({
  name: 'tcp-log',
  priority: 7,
  summary: 'Sends a record of every request over TCP, one JSON line each.',
  config: Config,
  sinkOf: ({ host, port, timeout, keepalive, tls, tls_sni }) => ({
    kind: 'tcp',
    host,
    port,
    timeoutMs: timeout,
    keepAliveMs: keepalive,
    tls: tls ? { serverName: tls_sni } : null,
    queue: LINE_QUEUE,
  }),
});
