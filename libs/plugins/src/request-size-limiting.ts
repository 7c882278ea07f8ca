import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { choice, flag, integer, record } from './fields.ts';
import { definePlugin, type Step } from './plugin.ts';

const UNIT_BYTES = { megabytes: 1024 * 1024, kilobytes: 1024, bytes: 1 } as const;
/** A body of unknown length is read up to here before the upstream is called; a longer one is cut on its way. */
const MAX_HELD_BYTES = 1024 * 1024;

const Config = record({
  allowed_payload_size: integer().default(128).describe('Largest request body, in `size_unit`.'),
  size_unit: choice(['megabytes', 'kilobytes', 'bytes'])
    .default('megabytes')
    .describe('Unit of the limit: 1048576, 1024 or 1 bytes.'),
  require_content_length: flag()
    .default(false)
    .describe('Refuse bodies whose length is not announced and which are not chunked.'),
});
type SizeConfig = z.output<typeof Config>;

const tooLarge = ({ fromClient }: Exchange, maxBytes: number): GatewayError =>
  new GatewayError('GW_PAYLOAD_TOO_LARGE', {
    status: fromClient.get('expect')?.toLowerCase() === '100-continue' ? 417 : 413,
    message: 'Request size limit exceeded',
    style: 'error',
    facts: {
      limit_bytes: maxBytes,
      content_length: Number(fromClient.get('content-length') ?? Number.NaN) || 'not announced',
    },
  });

const lengthRequired = (): GatewayError =>
  new GatewayError('GW_PAYLOAD_TOO_LARGE', {
    status: 411,
    message: 'A valid Content-Length header is required',
    style: 'error',
  });

const limitStream = async (exchange: Exchange, maxBytes: number): Promise<Step> => {
  const body = await exchange.readBody(Math.min(maxBytes, MAX_HELD_BYTES));
  if (body !== undefined) return undefined;
  if (maxBytes <= MAX_HELD_BYTES) return tooLarge(exchange, maxBytes);
  exchange.limitBody(maxBytes, tooLarge(exchange, maxBytes));
  return undefined;
};

/** Kong's `request-size-limiting`: no request body larger than this. */
export const requestSizeLimiting = definePlugin({
  name: 'request-size-limiting',
  priority: 951,
  reads: {},
  summary: 'Refuses request bodies that are too large.',
  config: Config,
  prepare: (config: SizeConfig) => ({
    maxBytes: config.allowed_payload_size * UNIT_BYTES[config.size_unit],
    needsLength: config.require_content_length,
  }),
  access: (exchange, { maxBytes, needsLength }) => {
    const length = exchange.fromClient.get('content-length');
    if (length !== undefined) return Number(length) > maxBytes ? tooLarge(exchange, maxBytes) : undefined;
    if (exchange.fromClient.has('transfer-encoding')) return limitStream(exchange, maxBytes);
    return needsLength ? lengthRequired() : undefined;
  },
});
