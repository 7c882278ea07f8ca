import { GatewayError } from '@sluice/contracts';

export { GatewayError } from '@sluice/contracts';
export { TENANT_ID, tenantOf } from './headers.ts';
export { definePlugin, MAX_ANSWER_BYTES } from './plugin.ts';

/**
 * Ends a request with an answer of the plugin's own: an access handler returns it. A string is sent as it is,
 * anything else as JSON, `null` is no body at all.
 */
export const answerWith = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): GatewayError => new GatewayError('GW_ANSWERED', { status, body: body ?? null, headers });
