import { type ErrorCode, GatewayError } from '@sluice/contracts';
import type { Exchange } from './exchange.ts';
import type { Ports } from './ports.ts';
import type { Problem } from './validation-parameters.ts';

/** What a validating plugin found. */
export type Found =
  | { readonly kind: 'mismatch'; readonly problems: readonly Problem[] }
  | { readonly kind: 'too large'; readonly maxBytes: number }
  | { readonly kind: 'media type'; readonly given: string; readonly allowed: readonly string[] }
  | { readonly kind: 'content encoding'; readonly given: string }
  | { readonly kind: 'path' | 'method' | 'status'; readonly allowed: readonly string[] };

interface Report {
  readonly plugin: 'request-validation' | 'response-validation';
  readonly mode: string;
  readonly found: Found;
}

const MAX_LOGGED = 5;
const MAX_GIVEN_CHARS = 100;

/** Counts a finding and writes it to the log: places and rules, never a value. */
export const report = (exchange: Exchange, ports: Ports, { plugin, mode, found }: Report): void => {
  ports.count(plugin === 'request-validation' ? 'invalid_requests' : 'invalid_responses');
  const places =
    found.kind === 'mismatch'
      ? found.problems.slice(0, MAX_LOGGED).map((one) => `${one.in}${one.path}: ${one.keyword}`)
      : undefined;
  ports.log('info', 'a message does not fit its schema', {
    plugin,
    mode,
    kind: found.kind,
    ...(places === undefined ? {} : { places }),
    request_id: exchange.id,
    route: exchange.route?.name ?? exchange.route?.id,
  });
};

interface Told {
  readonly status?: number;
  readonly code?: ErrorCode;
  readonly message: string;
  readonly details: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
}

const atMediaType = (message: string): readonly object[] => [{ in: 'media type', path: '', message }];

const counted = (problems: readonly Problem[]): string =>
  problems.length === 1 ? '1 problem' : `${problems.length} problems`;

const told = (found: Found, what: 'request' | 'response'): Told => {
  switch (found.kind) {
    case 'mismatch':
      return {
        message: `The ${what} does not fit its schema: ${counted(found.problems)}`,
        details: found.problems,
      };
    case 'too large': {
      const message = `The body is longer than ${found.maxBytes} bytes`;
      return {
        status: 413,
        code: 'GW_PAYLOAD_TOO_LARGE',
        message,
        details: [{ in: 'body', path: '', message }],
      };
    }
    case 'media type': {
      const given = found.given === '' ? 'missing' : `'${found.given.slice(0, MAX_GIVEN_CHARS)}'`;
      const message = `The Content-Type is ${given}; it must be one of: ${found.allowed.join(', ')}`;
      return { status: 415, message, details: atMediaType(message) };
    }
    case 'content encoding': {
      const message = `The Content-Encoding '${found.given.slice(0, MAX_GIVEN_CHARS)}' is not supported here; send the body as it is`;
      return {
        status: 415,
        message,
        details: atMediaType(message),
        headers: { 'Accept-Encoding': 'identity' },
      };
    }
    case 'path':
      return { status: 404, message: 'No operation of this API has this path', details: [] };
    case 'method': {
      const allow = found.allowed.join(', ');
      const message = `No operation of this API has this method; this path has: ${allow}`;
      return { status: 405, message, details: [], headers: { Allow: allow } };
    }
    case 'status':
      return { message: 'The response has a status that its operation does not list', details: [] };
  }
};

/** The answer to a message that is refused: the platform's error shape. */
export const refusalFor = (
  code: 'GW_REQUEST_INVALID' | 'GW_RESPONSE_INVALID',
  found: Found,
  requestId: string,
  withDetails: boolean,
): GatewayError => {
  const isRequest = code === 'GW_REQUEST_INVALID';
  const one = told(found, isRequest ? 'request' : 'response');
  const shown = (isRequest ? one.code : undefined) ?? code;
  const error = {
    code: shown,
    message: one.message,
    details: withDetails ? one.details : [],
    request_id: requestId,
  };
  return new GatewayError(shown, {
    ...(isRequest && one.status !== undefined ? { status: one.status } : {}),
    message: one.message,
    body: { error },
    ...(one.headers === undefined ? {} : { headers: one.headers }),
  });
};
