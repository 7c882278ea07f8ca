import { customFields } from './custom-fields.ts';
import { defineLogger } from './define-logger.ts';
import { record } from './fields.ts';
import { LINE_QUEUE, networkFields } from './log-queue.ts';

const Config = record({ ...networkFields(10_000), custom_fields_by_lua: customFields() });

/** Kong's `udp-log`: sends the record of every request as a datagram. */
export const udpLog = defineLogger({
  name: 'udp-log',
  priority: 8,
  summary: 'Sends a record of every request as a UDP datagram.',
  config: Config,
  sinkOf: ({ host, port, timeout }) => ({ kind: 'udp', host, port, timeoutMs: timeout, queue: LINE_QUEUE }),
});
