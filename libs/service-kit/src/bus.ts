import {
  busRefused,
  type Contract,
  type EventContract,
  type RequestReplyContract,
  subjectPattern,
} from '@sluice/contracts';
import { connect, headers, type Msg, type NatsConnection, RequestStrategy, type Subscription } from 'nats';
import type { z } from 'zod';
import { BusError } from './bus-error.ts';
import { type BusOptions, connectionOptions, inboxOf } from './bus-options.ts';
import { BusRefusals } from './bus-refusals.ts';
import { Discovery, type Endpoint } from './discovery.ts';
import { isInbox, jsonFor, jsonOf } from './payload.ts';
import { turnAway, WorkInHand } from './work-in-hand.ts';

export type { BusOptions } from './bus-options.ts';

/** What came with a message. */
export interface MessageContext {
  readonly subject: string;
  readonly traceparent: string | undefined;
  /** Sequence in its stream, for messages republished from one; 0 otherwise. */
  readonly streamSequence: number;
}

type Attach = (connection: NatsConnection) => void;

/**
 * The one door to NATS. It opens at once and connects in the background, for as long as it takes: a process
 * serves what it can without the bus. Every message is parsed with its contract's schema on arrival; one that
 * does not fit is counted, logged and dropped.
 */
export class Bus {
  readonly #options: BusOptions;
  readonly #connection: Promise<NatsConnection>;
  #live: NatsConnection | undefined;
  #isConnected = false;
  #isClosing = false;
  readonly #answering: Subscription[] = [];
  readonly #discovery: Discovery;
  readonly #onReconnect: (() => void)[] = [];
  /** Messages that did not fit their contract, by subject. */
  readonly malformed = new Map<string, number>();
  /** Questions of others that are being answered. */
  readonly work: WorkInHand;
  /** What this login may not do, as far as it was tried. */
  readonly refusals = new BusRefusals();

  private constructor(options: BusOptions) {
    this.#options = options;
    this.work = new WorkInHand(options.maxInHand);
    this.#discovery = new Discovery(options);
    this.#connection = this.#connect();
    this.#attach((connection) => this.#discovery.answer(connection));
    this.#answerForRefusals();
  }

  /** Opens the bus; never throws and never waits. */
  static open(options: BusOptions): Bus {
    return new Bus(options);
  }

  /** True while messages reach the server. While false, whatever is published is lost: callers fall back at once. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** What subjects for replies to this process begin with. */
  get inboxPrefix(): string {
    return inboxOf(this.#options);
  }

  /** The first connection. JetStream and tests wait for it. */
  get connection(): Promise<NatsConnection> {
    return this.#connection;
  }

  /** Runs after each lost and found connection: events of the meantime were missed. */
  onReconnect(listener: () => void): void {
    this.#onReconnect.push(listener);
  }

  /**
   * Publishes an event on the contract's subject, or on `subject` when the contract's has a `{token}`.
   * @returns false while disconnected: nothing was sent.
   * @throws MessageTooLarge
   */
  publish<P extends z.ZodType>(
    contract: EventContract<P>,
    payload: z.input<P>,
    subject: string = contract.subject,
  ): boolean {
    // A connection that closes is closed before it says so.
    if (!this.#isConnected || this.#live === undefined || this.#live.isClosed()) return false;
    this.#live.publish(subject, jsonFor(this.#live, subject, payload));
    return true;
  }

  /** Calls `handler` for each event of the contract, from now on and after every reconnect. */
  on<P extends z.ZodType>(
    contract: EventContract<P>,
    handler: (payload: z.output<P>, context: MessageContext) => void,
  ): void {
    this.#attach((connection) => {
      connection.subscribe(subjectPattern(contract), {
        callback: (error, message) => {
          const parsed = contract.payload.safeParse(error ?? jsonOf(message));
          if (parsed.success) handler(parsed.data, contextOf(message));
          else this.#report(contract, error ?? parsed.error);
        },
      });
    });
  }

  /** Answers a contract. Handlers may be asynchronous; `drain` waits for those under way. */
  answer<Req extends z.ZodType, Res extends z.ZodType>(
    contract: RequestReplyContract<Req, Res>,
    handler: (request: z.output<Req>, context: MessageContext) => Promise<z.input<Res>> | z.input<Res>,
  ): void {
    const endpoint = this.#discovery.add(contract);
    this.#attach((connection) => {
      const subscription = connection.subscribe(contract.subject, {
        ...(contract.queue === undefined ? {} : { queue: contract.queue }),
        callback: (error, message) => {
          const parsed = contract.request.safeParse(error ?? jsonOf(message));
          if (parsed.success)
            this.#handle(endpoint, message, async () =>
              jsonFor(
                connection,
                `reply to ${contract.subject}`,
                await handler(parsed.data, contextOf(message)),
              ),
            );
          else this.#report(contract, error ?? parsed.error);
        },
      });
      this.#answering.push(subscription);
    });
  }

  #handle(endpoint: Endpoint, message: Msg, work: () => Promise<string>): void {
    if (!isInbox(message.reply)) return; // see there
    if (!this.work.take()) {
      turnAway(message);
      return;
    }
    const startedAt = performance.now();
    void work()
      .then((reply) => {
        endpoint.ended(startedAt);
        message.respond(reply);
      })
      .catch((cause: unknown) => {
        endpoint.ended(startedAt, cause);
        this.#options.logger.error({ err: cause, subject: endpoint.info.subject }, 'handler failed');
      })
      .finally(() => this.work.done());
  }

  /**
   * Asks one question. For checks of the request path use a lane instead.
   * @throws BusError, MessageTooLarge
   */
  async ask<Req extends z.ZodType, Res extends z.ZodType>(
    contract: RequestReplyContract<Req, Res>,
    request: z.input<Req>,
  ): Promise<z.output<Res>> {
    if (!this.#isConnected || this.#live === undefined) throw new BusError('disconnected', contract.subject);
    const question = jsonFor(this.#live, contract.subject, request);
    const message = await this.#live
      .request(contract.subject, question, { timeout: contract.timeoutMs })
      .catch((error: { code?: string }) => {
        throw new BusError(error.code === '503' ? 'no-responders' : 'timeout', contract.subject);
      });
    const parsed = contract.reply.safeParse(jsonOf(message));
    if (!parsed.success) throw new BusError('malformed', contract.subject);
    return parsed.data;
  }

  /**
   * Asks everybody who answers the contract and collects what came within its timeout, or until `expected`
   * answers are there.
   */
  async scatter<Req extends z.ZodType, Res extends z.ZodType>(
    contract: RequestReplyContract<Req, Res>,
    request: z.input<Req>,
    expected = Number.POSITIVE_INFINITY,
  ): Promise<z.output<Res>[]> {
    if (!this.#isConnected || this.#live === undefined || expected === 0) return [];
    const replies: z.output<Res>[] = [];
    const question = jsonFor(this.#live, contract.subject, request);
    const messages = await this.#live.requestMany(contract.subject, question, {
      maxWait: contract.timeoutMs,
      ...(Number.isFinite(expected) ? { strategy: RequestStrategy.Count, maxMessages: expected } : {}),
    });
    try {
      for await (const message of messages) {
        const parsed = contract.reply.safeParse(jsonOf(message));
        if (parsed.success) replies.push(parsed.data);
        else this.#report(contract, parsed.error);
      }
    } catch (error) {
      if ((error as { code?: string }).code !== '503') throw error;
    }
    return replies;
  }

  /**
   * Stops answering, lets the work in flight finish, then closes. In this order nothing that was accepted is
   * lost; closing first loses what the handlers still hold.
   */
  async drain(timeoutMs = 5000): Promise<void> {
    this.#isClosing = true;
    if (this.#live === undefined || this.#live.isClosed()) return;
    const deadline = performance.now() + timeoutMs;
    if (this.#isConnected)
      await Promise.all(this.#answering.filter((s) => !s.isClosed()).map((s) => s.drain()));
    while (this.work.count > 0 && performance.now() < deadline)
      await new Promise((done) => setTimeout(done, 5));
    if (this.#isConnected) await this.#live.drain().catch(() => undefined);
    else await this.#live.close();
  }

  /** Raw access for the lane and JetStream of this library. */
  attachRaw(attach: Attach): void {
    this.#attach(attach);
  }

  /** Tests: cuts the connection without a word. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#live?.close();
  }

  async #connect(): Promise<NatsConnection> {
    const connection = await connect(connectionOptions(this.#options));
    if (this.#isClosing) await connection.close();
    this.#live = connection;
    this.#isConnected = true;
    void this.#watch(connection);
    return connection;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    const { logger } = this.#options;
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#isConnected = false;
        if (!this.#isClosing) logger.warn('bus disconnected');
      } else if (status.type === 'reconnect') {
        this.#isConnected = true;
        this.refusals.clear();
        logger.info('bus reconnected');
        for (const listener of this.#onReconnect) listener();
      } else if (status.type === 'error') {
        if (status.permissionContext !== undefined) this.refusals.note(status.permissionContext);
        logger.error({ code: status.data, ...status.permissionContext }, 'bus error');
      }
    }
    this.#isConnected = false;
  }

  /** Those who play no part, and people, are not asked. */
  #answerForRefusals(): void {
    const { name, part } = this.#options;
    if (part === undefined || part === 'operator' || part === 'litellm') return;
    this.answer(busRefused, () => ({
      ...{ instance: name, user: part },
      refused: this.refusals.list().map(({ lastAt, ...one }) => ({ ...one, agoMs: Date.now() - lastAt })),
    }));
  }

  #attach(attach: Attach): void {
    if (this.#live !== undefined) attach(this.#live);
    else void this.#connection.then((connection) => (connection.isClosed() ? undefined : attach(connection)));
  }

  #report(contract: Pick<Contract, 'subject'>, cause: Error): void {
    const seen = (this.malformed.get(contract.subject) ?? 0) + 1;
    this.malformed.set(contract.subject, seen);
    // The first and then every hundredth: a broken publisher must not fill the disk.
    if (seen % 100 === 1)
      this.#options.logger.warn(
        { subject: contract.subject, seen, problem: cause.message.slice(0, 500) },
        'message breaks its contract',
      );
  }
}

const contextOf = (message: Msg): MessageContext => ({
  subject: message.subject,
  traceparent: message.headers?.get('traceparent') || undefined,
  streamSequence: Number(message.headers?.get('Nats-Sequence') || 0),
});

/** NATS headers from plain pairs. */
export const headersOf = (pairs: Readonly<Record<string, string>>) => {
  const all = headers();
  for (const [name, value] of Object.entries(pairs)) all.set(name, value);
  return all;
};
