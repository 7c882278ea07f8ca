import type { Agent } from 'node:http';
import type { Exchange, ShadowCopy, ShadowPort, ShadowSkip, ShadowTerms } from '@sluice/plugins';
import type { Logger, Registry } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { AnswerDigest } from './answer-digest.ts';
import { differencesOf, isTooLarge, type Told } from './compare.ts';
import { type CopyHead, copyHead } from './copy-head.ts';
import { KeptBody, type Room } from './kept-body.ts';
import { type CopyOutcome, ShadowLedger } from './ledger.ts';
import { openAgent, sendCopy } from './send-copy.ts';
import { watchBody } from './watch-answer.ts';

/** Copies of all plugin instances that may be under way at the same time. */
const MAX_UNDER_WAY = 1024;

/** The way to the second gateway of one plugin instance. */
interface Line {
  readonly terms: ShadowTerms;
  readonly agent: Agent;
  /** Copies that are sent, and bodies that are kept for one. */
  underWay: number;
  keeping: number;
  isReachable: boolean;
}

/**
 * Sends copies of requests to second gateways and compares the answers. A copy leaves when the client has its whole
 * answer, so the client never waits for it; what there is no room for is dropped, and counted.
 */
export class ShadowCopies implements ShadowPort {
  readonly ledger: ShadowLedger;
  readonly #lines = new Map<string, Line>();
  readonly #logger: Logger;
  readonly #room: Room = { keptBytes: 0 };
  readonly #stopping = new AbortController();
  #underWay = 0;

  constructor(registry: Registry, logger: Logger) {
    this.#logger = logger;
    this.ledger = new ShadowLedger(registry, logger, () => this.#underWay);
  }

  skip(exchange: Exchange, reason: ShadowSkip): void {
    this.ledger.skipped(routeOf(exchange), reason);
  }

  open(exchange: Exchange, terms: ShadowTerms): ShadowCopy | undefined {
    const own = exchange as ProxyExchange;
    const line = this.#lineOf(terms);
    const body = this.#keepBody(own, line);
    if (typeof body === 'string') {
      this.skip(exchange, body);
      return undefined;
    }
    return this.#copyOf(own, line, body);
  }

  /** Gives up what is under way. */
  close(): void {
    this.#stopping.abort();
    for (const { agent } of this.#lines.values()) agent.destroy();
  }

  #copyOf(exchange: ProxyExchange, line: Line, body: KeptBody | undefined): ShadowCopy {
    const { terms } = line;
    let digest: AnswerDigest | undefined;
    let isWatched = terms.compare.body === 'off';
    const open = (): AnswerDigest => {
      const { toClient } = exchange; // as it is sent: plugins may have changed it until now
      return new AnswerDigest(terms, toClient.get('content-type'), toClient.has('content-encoding'));
    };
    return {
      watchAnswer: () => {
        if (isWatched) return;
        isWatched = true;
        watchBody(exchange.response, (chunk) => {
          digest ??= open();
          digest.update(chunk);
        });
      },
      drop: (reason) => {
        this.#takeBody(line, body);
        this.skip(exchange, reason);
      },
      send: () => {
        const kept = this.#takeBody(line, body);
        const head = copyHead(exchange, terms, Buffer.isBuffer(kept) ? kept : undefined);
        const reason = this.#reasonToDrop(exchange, line, kept);
        if (reason !== undefined || head === undefined) this.skip(exchange, reason ?? 'unreadable');
        else {
          const told = toldOf(exchange, terms, () => (digest ?? open()).end());
          void this.#send(line, { exchange, head, body: kept as Buffer | undefined, told });
        }
      },
    };
  }

  /** Why nothing is kept of a body; undefined where there is none. */
  #keepBody({ body, fromClient }: ProxyExchange, line: Line): KeptBody | ShadowSkip | undefined {
    if (!body.hasBody) return undefined;
    const { maxBodyBytes, concurrency } = line.terms;
    if (Number(fromClient.get('content-length') ?? 0) > maxBodyBytes) return 'body-too-large';
    if (body.isRead) return 'body-unread';
    if (line.keeping >= concurrency) return 'busy';
    line.keeping += 1;
    return new KeptBody(body, maxBodyBytes, this.#room);
  }

  #takeBody(line: Line, body: KeptBody | undefined): Buffer | ShadowSkip | undefined {
    if (body !== undefined) line.keeping -= 1;
    return body?.take();
  }

  #reasonToDrop(
    { response }: ProxyExchange,
    { underWay, terms }: Line,
    body: Buffer | ShadowSkip | undefined,
  ): ShadowSkip | undefined {
    if (!response.writableFinished) return 'aborted'; // half an answer is like no other
    if (typeof body === 'string') return body;
    const isFull = underWay >= terms.concurrency || this.#underWay >= MAX_UNDER_WAY;
    return isFull || this.#stopping.signal.aborted ? 'busy' : undefined;
  }

  async #send(
    line: Line,
    copy: { exchange: ProxyExchange; head: CopyHead; body: Buffer | undefined; told: Told },
  ): Promise<void> {
    const { agent, terms } = line;
    const { exchange, head, body, told } = copy;
    this.#underWay += 1;
    line.underWay += 1;
    const answer = await sendCopy(head, body, { terms, agent, signal: this.#stopping.signal });
    this.#underWay -= 1;
    line.underWay -= 1;
    if (this.#stopping.signal.aborted) return;
    this.#retire(line);
    this.#noteReach(line, typeof answer === 'string' ? answer : undefined);
    if (typeof answer === 'string') this.ledger.ended(routeOf(exchange), answer);
    else this.#judge(exchange, terms, { here: told, there: answer });
  }

  #judge(
    exchange: ProxyExchange,
    { compare }: ShadowTerms,
    { here, there }: { here: Told; there: Told },
  ): void {
    const route = routeOf(exchange);
    const differences = differencesOf(here, there, compare);
    if (isTooLarge(here, there)) this.ledger.bodyTooLarge(route);
    this.ledger.ended(route, differences.length === 0 ? 'equal' : 'different');
    const { id: requestId, method } = exchange;
    if (differences.length > 0)
      this.ledger.differed(route, { requestId, at: Date.now(), method, differences });
  }

  /** One line when a second gateway goes away and one when it is back, not one for each copy. */
  #noteReach(line: Line, problem: CopyOutcome | undefined): void {
    const isReachable = problem === undefined;
    if (line.isReachable === isReachable) return;
    line.isReachable = isReachable;
    const { pluginId: plugin_id } = line.terms;
    if (isReachable) this.#logger.info({ plugin_id }, 'second gateway answers again');
    else this.#logger.warn({ plugin_id, problem }, 'second gateway does not answer');
  }

  /** Made when its first request comes, and anew when its configuration has changed. */
  #lineOf(terms: ShadowTerms): Line {
    const known = this.#lines.get(terms.pluginId);
    if (known?.terms === terms) return known;
    const line = { terms, agent: openAgent(terms), underWay: 0, keeping: 0, isReachable: true };
    this.#lines.set(terms.pluginId, line);
    if (known !== undefined) this.#retire(known);
    return line;
  }

  /** Closes the connections of a line that another one has replaced, once nothing is on its way. */
  #retire(line: Line): void {
    if (line.underWay === 0 && this.#lines.get(line.terms.pluginId) !== line) line.agent.destroy();
  }
}

const toldOf = (exchange: ProxyExchange, { compare }: ShadowTerms, body: () => Told['body']): Told => ({
  status: exchange.response.statusCode,
  header: (name) => exchange.toClient.getAll(name),
  body: compare.body === 'off' ? undefined : body(),
});

/** Empty where no route was found. */
const routeOf = ({ route }: Exchange): string => route?.name ?? route?.id ?? '';
