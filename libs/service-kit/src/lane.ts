import { type BatchContract, MAX_CHECKS_PER_MESSAGE } from '@sluice/contracts';
import { createInbox, type Msg, type NatsConnection } from 'nats';
import type { z } from 'zod';
import { Breaker } from './breaker.ts';
import { type Bus, headersOf } from './bus.ts';
import { BusError } from './bus-error.ts';

const MAX_MESSAGE_BYTES = 256 * 1024;
/** Of the contract's whole time, what the first of two attempts gets. */
const FIRST_ATTEMPT_SHARE = 0.4;

type Shape = z.ZodRawShape;
type Answer<V extends Shape> = z.output<z.ZodObject<V>>;

interface Pending<V extends Shape> {
  readonly id: number;
  readonly json: string;
  readonly traceparent: string | undefined;
  readonly resolve: (verdict: Answer<V>) => void;
  readonly reject: (error: BusError) => void;
}

/** What every item of a reply has. */
interface Result {
  readonly id: number;
  readonly outcome: string;
  readonly code?: string;
}

interface Sent<V extends Shape> {
  readonly checks: readonly Pending<V>[];
  readonly deadline: number;
  readonly attempt: 1 | 2;
}

/**
 * Asks a batched contract: all checks of one turn of the event loop travel in one message, over one reply inbox,
 * with one timer for all deadlines. A tenth of the cost of one `request()` per check. The token behind the inbox
 * names the message, so that "no responders" and a malformed answer find their checks.
 */
export class Lane<C extends Shape, V extends Shape> {
  readonly breaker = new Breaker();
  readonly #bus: Bus;
  readonly #contract: BatchContract<C, V>;
  readonly #isIdempotent: boolean;
  /** Made once: where a service is away every request gets one, and a stack costs more than a decision. */
  readonly #disconnected: BusError;
  readonly #open: BusError;
  readonly #inbox: string;
  readonly #sent = new Map<number, Sent<V>>();
  #connection: NatsConnection | undefined;
  #queue: Pending<V>[] = [];
  #isFlushing = false;
  #lastId = 0;
  #lastMessage = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `isIdempotent`: a check that timed out may be asked once more within the contract's time. */
  constructor(bus: Bus, contract: BatchContract<C, V>, options: { isIdempotent: boolean }) {
    this.#bus = bus;
    this.#contract = contract;
    this.#isIdempotent = options.isIdempotent;
    this.#disconnected = new BusError('disconnected', contract.subject);
    this.#open = new BusError('open', contract.subject);
    this.#inbox = createInbox(bus.inboxPrefix);
    bus.attachRaw((connection) => {
      connection.subscribe(`${this.#inbox}.*`, {
        callback: (error, message) => (error === null ? this.#receive(message) : undefined),
      });
      this.#connection = connection;
    });
  }

  /**
   * Asks one check; the verdict is parsed with the contract's schema.
   * @throws BusError (as a rejection) of every kind.
   */
  ask(check: z.input<z.ZodObject<C>>, traceparent?: string): Promise<Answer<V>> {
    if (!this.#bus.isConnected || this.#connection === undefined) return Promise.reject(this.#disconnected);
    if (!this.breaker.admits()) return Promise.reject(this.#open);
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const id = this.#lastId;
      const json = JSON.stringify({
        ...(check as object),
        id,
        ...(traceparent === undefined ? {} : { traceparent }),
      });
      this.#queue.push({ id, json, traceparent, resolve, reject });
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#isFlushing = false;
    const queue = this.#queue;
    this.#queue = [];
    let batch: Pending<V>[] = [];
    let bytes = 0;
    for (const check of queue) {
      if (
        batch.length === MAX_CHECKS_PER_MESSAGE ||
        (batch.length > 0 && bytes + check.json.length > MAX_MESSAGE_BYTES)
      ) {
        this.#send(batch, 1);
        batch = [];
        bytes = 0;
      }
      batch.push(check);
      bytes += check.json.length;
    }
    if (batch.length > 0) this.#send(batch, 1);
  }

  #send(checks: readonly Pending<V>[], attempt: 1 | 2): void {
    const { subject, timeoutMs } = this.#contract;
    const share = !this.#isIdempotent ? 1 : attempt === 1 ? FIRST_ATTEMPT_SHARE : 1 - FIRST_ATTEMPT_SHARE;
    this.#lastMessage += 1;
    const message = this.#lastMessage;
    const traceparent = checks.find((check) => check.traceparent !== undefined)?.traceparent;
    try {
      this.#connection?.publish(
        subject,
        `{"v":1,"checks":[${checks.map((check) => check.json).join(',')}]}`,
        {
          reply: `${this.#inbox}.${message}`,
          ...(traceparent === undefined ? {} : { headers: headersOf({ traceparent }) }),
        },
      );
    } catch (error) {
      this.#failAll(checks, new BusError('disconnected', subject, (error as Error).message));
      return;
    }
    const deadline = performance.now() + timeoutMs * share;
    this.#sent.set(message, { checks, deadline, attempt });
    this.#sweepAt(deadline);
  }

  /** One timer, for the next deadline: whoever is asked in vain has waited no longer than was said. */
  #sweepAt(deadline: number): void {
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    // After this turn's reading: an answer that came while this process was busy is no timeout.
    const sweepAfterReading = () => setImmediate(() => this.#sweep());
    this.#timer = setTimeout(sweepAfterReading, Math.max(1, Math.ceil(deadline - performance.now())));
  }

  #receive(message: Msg): void {
    const number = Number(message.subject.slice(this.#inbox.length + 1));
    const sent = this.#sent.get(number);
    if (sent === undefined) return; // too late: its checks were decided without it
    this.#sent.delete(number);
    if (message.data.length === 0 && message.headers?.code === 503) {
      this.#failAll(sent.checks, new BusError('no-responders', this.#contract.subject));
      return;
    }
    this.breaker.succeeded();
    const results = this.#resultsOf(message);
    if (results === undefined) this.#failAll(sent.checks, new BusError('malformed', this.#contract.subject));
    else this.#settle(sent.checks, results);
  }

  #resultsOf(message: Msg): readonly Result[] | undefined {
    try {
      const parsed = this.#contract.reply.safeParse(message.json());
      return parsed.success ? (parsed.data as { results: readonly Result[] }).results : undefined;
    } catch {
      return undefined; // not JSON
    }
  }

  #settle(checks: readonly Pending<V>[], results: readonly Result[]): void {
    const byId = new Map(results.map((result) => [result.id, result]));
    for (const check of checks) {
      const result = byId.get(check.id);
      if (result === undefined)
        check.reject(new BusError('malformed', this.#contract.subject, 'an answer is missing'));
      else if (result.outcome === 'error')
        check.reject(new BusError('failed', this.#contract.subject, result.code));
      else check.resolve(result as unknown as Answer<V>);
    }
  }

  #sweep(): void {
    const now = performance.now();
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (const [number, sent] of this.#sent) {
      if (sent.deadline > now) continue;
      this.#sent.delete(number);
      if (this.#isIdempotent && sent.attempt === 1 && this.#bus.isConnected) this.#send(sent.checks, 2);
      else {
        this.breaker.timedOut();
        this.#failAll(sent.checks, new BusError('timeout', this.#contract.subject));
      }
    }
    for (const { deadline } of this.#sent.values()) this.#sweepAt(deadline);
  }

  #failAll(checks: readonly Pending<V>[], error: BusError): void {
    for (const check of checks) check.reject(error);
  }
}
