/** How a sink's queue works; times in seconds, as Kong writes them. */
export interface QueueSettings {
  readonly maxBatchSize: number;
  readonly maxCoalescingDelay: number;
  /** The oldest record is dropped to make room. */
  readonly maxEntries: number;
  /** Size of all waiting records together, in bytes; null: not bounded. */
  readonly maxBytes: number | null;
  readonly initialRetryDelay: number;
  readonly maxRetryDelay: number;
  /** A batch is given up when it was tried for so long. */
  readonly maxRetryTime: number;
  /** Batches on their way at the same time; -1: as many as the edge allows. */
  readonly concurrencyLimit: number;
}

/** One entry of a queue, ready to be sent. */
export type SinkEntry = string | Buffer;

/** The process that sends: some receivers want to know. */
export interface SinkSender {
  readonly nodeId: string;
  readonly version: string;
}

/** Where log records go. Times in ms. */
export type LogSink = { readonly queue: QueueSettings } & (
  | {
      readonly kind: 'http';
      /** Without user information. */
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Longest silence of the receiver. */
      readonly timeoutMs: number;
      /** How long an idle connection is kept; absent: as long as the receiver keeps it. */
      readonly keepAliveMs?: number;
      /** Absent: not bounded apart from the silence. */
      readonly connectTimeoutMs?: number;
      readonly sendTimeoutMs?: number;
      /** Makes the body of a batch; absent: JSON, as a list where batches may have several records. */
      readonly compose?: (entries: readonly SinkEntry[], sender: SinkSender) => SinkEntry;
    }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly timeoutMs: number;
      readonly keepAliveMs: number;
      readonly tls: { readonly serverName: string | null } | null;
    }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number; readonly timeoutMs: number }
);

/** Kong's log record of a request (kong-compat 4.17). */
export type LogRecord = Readonly<Record<string, unknown>>;
