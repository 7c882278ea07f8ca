import type { LogRecord, LogSink, SinkEntry, SinkSender } from '@sluice/plugins';
import type { Logger } from '@sluice/service-kit';
import { type Delivery, deliveryTo } from './log-delivery.ts';
import { LogQueue } from './log-queue.ts';

/** How long a queue whose configuration was replaced may take to send what it has, in ms. */
const RETIRE_MS = 10_000;

interface Line {
  readonly sink: LogSink;
  readonly queue: LogQueue;
  readonly delivery: Delivery;
}

/** The queues of all loggers of this edge, each made when its first record comes. */
export class LogSinks {
  readonly #lines = new Map<string, Line>();
  readonly #logger: Logger;
  readonly #sender: SinkSender;
  readonly #onLost: (kind: string, records: number) => void;

  /** `onLost` hears which kind of logger lost how many records. */
  constructor(logger: Logger, sender: SinkSender, onLost: (kind: string, records: number) => void) {
    this.#logger = logger;
    this.#sender = sender;
    this.#onLost = onLost;
  }

  write(sinkKey: string, sink: LogSink, record: LogRecord): void {
    this.send(sinkKey, sink, JSON.stringify(record));
  }

  send(sinkKey: string, sink: LogSink, entry: SinkEntry): void {
    this.#lineFor(sinkKey, sink).queue.push(entry);
  }

  /** Sends what waits everywhere, for so long at most. */
  async close(withinMs: number): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.all(lines.map((line) => retire(line, withinMs)));
  }

  #lineFor(sinkKey: string, sink: LogSink): Line {
    const known = this.#lines.get(sinkKey);
    if (known?.sink === sink) return known;
    if (known !== undefined) void retire(known, RETIRE_MS);
    const delivery = deliveryTo(sink, this.#sender);
    const logger = this.#logger.child({ sink: sink.kind, plugin_id: sinkKey });
    const onLost = (records: number) => this.#onLost(sink.kind, records);
    const line = { sink, delivery, queue: new LogQueue(delivery.deliver, sink.queue, logger, onLost) };
    this.#lines.set(sinkKey, line);
    return line;
  }
}

const retire = async ({ queue, delivery }: Line, withinMs: number): Promise<void> => {
  await queue.close(withinMs);
  delivery.close();
};
