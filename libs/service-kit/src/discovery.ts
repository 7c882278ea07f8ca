import type { Contract } from '@sluice/contracts';
import type { NatsConnection } from 'nats';
import type { BusOptions } from './bus-options.ts';
import { isInbox } from './payload.ts';

/** Of all processes; the protocol wants one. */
const VERSION = '0.1.0';
const NS_PER_MS = 1e6;
const MAX_ERROR_CHARS = 200;

type Answered = Pick<Contract, 'subject'> & { readonly queue?: string | undefined };

/** What was asked of one contract since the start. */
export class Endpoint {
  readonly #contract: Answered;
  #requests = 0;
  #errors = 0;
  #lastError = '';
  #busyMs = 0;

  constructor(contract: Answered) {
    this.#contract = contract;
  }

  /** Counts one question. `startedAt` by `performance.now()`; `error`: why there was no answer. */
  ended(startedAt: number, error?: unknown): void {
    this.#requests += 1;
    this.#busyMs += performance.now() - startedAt;
    if (error === undefined) return;
    this.#errors += 1;
    // By name alone: what else an error says may be the asker's data.
    this.#lastError = (error instanceof Error ? error.name : typeof error).slice(0, MAX_ERROR_CHARS);
  }

  /** Its name, subject and group. */
  get info() {
    const { subject, queue = '' } = this.#contract;
    return { name: subject.replaceAll('.', '-'), subject, queue_group: queue };
  }

  get stats() {
    const busyNs = Math.round(this.#busyMs * NS_PER_MS);
    return {
      ...this.info,
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: busyNs,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(busyNs / this.#requests),
    };
  }
}

/**
 * Answers NATS' own discovery of services (`$SRV.PING`, `INFO`, `STATS`; for all, by name, by name and id), so that
 * `nats micro ls` lists every process and what it answers. Those who play no part answer nothing.
 */
export class Discovery {
  readonly #options: Pick<BusOptions, 'name' | 'part'>;
  readonly #endpoints: Endpoint[] = [];
  readonly #started = new Date().toISOString();

  constructor(options: Pick<BusOptions, 'name' | 'part'>) {
    this.#options = options;
  }

  /** Lists a contract that is answered from now on. */
  add(contract: Answered): Endpoint {
    const endpoint = new Endpoint(contract);
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  /** Subscribes; the client does so again after each reconnect. */
  answer(connection: NatsConnection): void {
    const { part } = this.#options;
    if (part === undefined || part === 'operator' || part === 'litellm') return;
    const identity = this.#identity(part);
    for (const [verb, said] of Object.entries(this.#answers()))
      for (const end of ['', `.${identity.name}`, `.${identity.name}.${identity.id}`])
        connection.subscribe(`$SRV.${verb}${end}`, {
          callback: (error, message) => {
            if (error !== null || !isInbox(message.reply)) return;
            const type = `io.nats.micro.v1.${verb.toLowerCase()}_response`;
            message.respond(JSON.stringify({ type, ...identity, ...said() }));
          },
        });
  }

  #identity(part: string) {
    const { name: instance } = this.#options;
    const id = instance.replaceAll(/[^A-Za-z0-9_-]/g, '_');
    return { name: part, id, version: VERSION, metadata: { instance } };
  }

  #answers(): Readonly<Record<string, () => object>> {
    return {
      PING: () => ({}),
      INFO: () => ({
        description: `Sluice: ${this.#options.part}`,
        endpoints: this.#endpoints.map(({ info }) => ({ ...info, metadata: {} })),
      }),
      STATS: () => ({ started: this.#started, endpoints: this.#endpoints.map(({ stats }) => stats) }),
    };
  }
}
