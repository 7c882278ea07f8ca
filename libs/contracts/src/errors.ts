/**
 * Every answer the gateway gives in its own name. `style` is the body's form as Kong has it
 * (kong-compat 3.4): `exit` compact JSON, `error` negotiated by Accept with JSON as default, `page` negotiated
 * by Accept, then the request's Content-Type, then plain text. docs/errors.md is generated from this table.
 */
export const ERRORS = {
  /** A plugin answers in the upstream's place (CORS preflight, request-termination); it is no failure. */
  GW_ANSWERED: { status: 200, style: 'exit', source: 'gateway', retryable: false, message: 'Answered' },
  GW_NO_ROUTE: {
    status: 404,
    style: 'error',
    source: 'client',
    retryable: false,
    message: 'no Route matched with those values',
  },
  GW_NO_SERVICE: {
    status: 503,
    style: 'error',
    source: 'gateway',
    retryable: false,
    message: 'no Service found with those values',
  },
  GW_HTTPS_REQUIRED: {
    status: 426,
    style: 'error',
    source: 'client',
    retryable: false,
    message: 'Please use HTTPS protocol',
  },
  GW_PROTOCOL_TOO_OLD: {
    status: 426,
    style: 'error',
    source: 'client',
    retryable: false,
    message: 'Please use HTTP2 protocol',
  },
  GW_NOT_GRPC: {
    status: 415,
    style: 'error',
    source: 'client',
    retryable: false,
    message: 'Non-gRPC request matched gRPC route',
  },
  GW_BAD_REQUEST: { status: 400, style: 'page', source: 'client', retryable: false, message: 'Bad request' },
  GW_HEADERS_TOO_LARGE: {
    status: 400,
    style: 'page',
    source: 'client',
    retryable: false,
    message: 'Request header or cookie too large',
  },
  GW_METHOD_NOT_ALLOWED: {
    status: 405,
    style: 'page',
    source: 'client',
    retryable: false,
    message: 'Method not allowed',
  },
  GW_REQUEST_TIMEOUT: {
    status: 408,
    style: 'page',
    source: 'client',
    retryable: true,
    message: 'Request timeout',
  },
  GW_PAYLOAD_TOO_LARGE: {
    status: 413,
    style: 'page',
    source: 'client',
    retryable: false,
    message: 'Payload too large',
  },
  GW_UNAUTHENTICATED: {
    status: 401,
    style: 'exit',
    source: 'client',
    retryable: false,
    message: 'Unauthorized',
  },
  GW_FORBIDDEN: { status: 403, style: 'error', source: 'client', retryable: false, message: 'Forbidden' },
  /** The request does not fit its OpenAPI operation or schemas (request-validation); the body says where. */
  GW_REQUEST_INVALID: {
    status: 400,
    style: 'exit',
    source: 'client',
    retryable: false,
    message: 'The request does not fit its schema',
  },
  /** The upstream's answer does not fit its OpenAPI operation or schemas (response-validation). */
  GW_RESPONSE_INVALID: {
    status: 502,
    style: 'exit',
    source: 'upstream',
    retryable: false,
    message: 'The response does not fit its schema',
  },
  /** The client's headers speak for another tenant, platform or user than its credential (tenant-binding). */
  GW_TENANT_MISMATCH: {
    status: 403,
    style: 'error',
    source: 'client',
    retryable: false,
    message: 'tenant_mismatch: a header is not what the credential says',
  },
  /** The text for a language model breaks a rule (ai-prompt-guard); which one is only logged. */
  GW_PROMPT_REFUSED: {
    status: 400,
    style: 'exit',
    source: 'client',
    retryable: false,
    message: 'The prompt is not allowed',
  },
  GW_RATE_LIMITED: {
    status: 429,
    style: 'error',
    source: 'client',
    retryable: true,
    message: 'API rate limit exceeded',
  },
  GW_QUOTA_EXCEEDED: {
    status: 429,
    style: 'exit',
    source: 'client',
    retryable: true,
    message: 'Tenant quota exceeded',
  },
  GW_AUTH_UNAVAILABLE: {
    status: 503,
    style: 'error',
    source: 'gateway',
    retryable: true,
    message: 'Authentication is unavailable; retry in a moment',
  },
  GW_LIMITER_UNAVAILABLE: {
    status: 500,
    style: 'exit',
    source: 'gateway',
    retryable: true,
    message: 'An unexpected error occurred',
  },
  GW_PLUGIN_FAILED: {
    status: 500,
    style: 'exit',
    source: 'gateway',
    retryable: false,
    message: 'An unexpected error occurred',
  },
  GW_NAME_NOT_RESOLVED: {
    status: 503,
    style: 'error',
    source: 'upstream',
    retryable: true,
    message: 'name resolution failed',
  },
  GW_NO_PEER: {
    status: 503,
    style: 'error',
    source: 'upstream',
    retryable: true,
    message: 'failure to get a peer from the ring-balancer',
  },
  GW_UPSTREAM_INVALID: {
    status: 502,
    style: 'page',
    source: 'upstream',
    retryable: true,
    message: 'An invalid response was received from the upstream server',
  },
  GW_UPSTREAM_TIMEOUT: {
    status: 504,
    style: 'page',
    source: 'upstream',
    retryable: true,
    message: 'The upstream server is timing out',
  },
  GW_UPSTREAM_UNAVAILABLE: {
    status: 503,
    style: 'page',
    source: 'upstream',
    retryable: true,
    message: 'The upstream server is currently unavailable',
  },
  GW_OVERLOADED: {
    status: 503,
    style: 'exit',
    source: 'gateway',
    retryable: true,
    message: 'The gateway is overloaded; retry in a moment',
  },
  GW_NOT_READY: {
    status: 503,
    style: 'error',
    source: 'gateway',
    retryable: true,
    message: 'The gateway has no configuration yet; retry in a moment',
  },
} as const satisfies Record<string, ErrorRow>;

export interface ErrorRow {
  readonly status: number;
  readonly style: 'exit' | 'error' | 'page';
  readonly source: 'client' | 'gateway' | 'upstream';
  readonly retryable: boolean;
  readonly message: string;
}
export type ErrorCode = keyof typeof ERRORS;

export interface RefusalOptions {
  /** Replaces the table's status, where a configuration may choose it (Kong's `error_code`). */
  status?: number;
  /** Replaces the table's message. */
  message?: string;
  /**
   * The whole body, for answers that are not `{"message": …}`, in style `exit`: `null` is an
   * answer without a body, a string is sent as it is (its Content-Type is in `headers`), anything else as JSON.
   */
  body?: unknown;
  /** Replaces the table's form, where Kong's plugins differ; `body` always means `exit`. */
  style?: ErrorRow['style'];
  /** Header names are sent as written here. */
  headers?: Readonly<Record<string, string>>;
  /** Figures that decided, for the decision record; the client is not told. Never a credential. */
  facts?: Readonly<Record<string, string | number | boolean>>;
  cause?: unknown;
}

/** Ends a request with an answer of the gateway's own. A plugin returns it; only bugs are thrown. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly style: ErrorRow['style'];
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly facts: RefusalOptions['facts'];

  constructor(code: ErrorCode, options: RefusalOptions = {}) {
    const row = ERRORS[code];
    super(options.message ?? row.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = options.status ?? row.status;
    this.style = options.body === undefined ? (options.style ?? row.style) : 'exit';
    this.body = options.body;
    this.headers = options.headers ?? {};
    this.facts = options.facts;
  }
}
