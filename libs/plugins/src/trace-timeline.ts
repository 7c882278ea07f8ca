/**
 * Kong's `tracing_instrumentations`. `request` and the first four make spans here; the others are accepted, for the
 * edge has no such step.
 */
export const INSTRUMENTS = [
  'request',
  'router',
  'balancer',
  'plugin_access',
  'plugin_header_filter',
  'plugin_rewrite',
  'db_query',
  'dns_query',
  'http_client',
] as const;
export type Instrument = (typeof INSTRUMENTS)[number];

/** A stretch of a request. Unix time in ms, with fractions. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** A handler of one plugin that ran. */
export interface HandlerRun extends Stretch {
  readonly plugin: string;
  readonly phase: 'access' | 'response';
}

/** One attempt at one target; the last one, where it worked, lasts until the answer was through. */
export interface TargetAttempt extends Stretch {
  /** Address where it is known. */
  readonly ip: string | undefined;
  readonly port: number;
  /** Why it brought no answer. */
  readonly failure: string | undefined;
}

/** A finished request as tracing plugins tell it: without credentials. */
export interface Timeline extends Stretch {
  /** Id of this edge. */
  readonly nodeId: string;
  readonly status: number;
  readonly peerIp: string;
  readonly peerPort: number;
  /** `Host` without its port. */
  readonly hostName: string;
  /** Target as the client sent it; secrets in its query are left out. */
  readonly target: string;
  /** Undefined where the request did not come so far. */
  readonly routedAt: number | undefined;
  readonly forwardedAt: number | undefined;
  readonly answeredAt: number | undefined;
  readonly handlers: readonly HandlerRun[];
  readonly attempts: readonly TargetAttempt[];
}
