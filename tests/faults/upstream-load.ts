import { type IncomingHttpHeaders, request } from 'node:http';
import { eventually } from '@sluice/testkit';
import type { LinkedUpstream } from './decision-world.ts';
import { echoOf } from './echo-upstream.ts';
import type { GatewayWorld } from './gateway-world.ts';
import { type RowLoad, Tally } from './row-load.ts';
import type { Part } from './schedule.ts';

const RECOVERS_WITHIN_MS = 30_000;
/** Past the timeouts of the service, twice, in ms. */
const ANSWERS_WITHIN_MS = 4000;
/** At a time, of an upstream at an edge: an answer that is handed to the wrong one needs two. */
const CLIENTS = 2;
const FAILURES = new Set([502, 503, 504]);
/** What a link puts in the place of bytes begins with this; what came before it is the upstream's. */
const NO_TEXT = '\u0000';

interface Read {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Otherwise it broke off, and the client could see it. */
  readonly isWhole: boolean;
}

/** What was asked, and what came. */
interface Seen extends Read {
  readonly number: number;
  readonly name: string;
}

/** One request whose answer may break off after its head. Rejects when there is no head, or no end. */
const read = (origin: string, path: string): Promise<Read> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(origin);
    const outgoing = request({ host, port, path, agent: false });
    const timer = setTimeout(() => outgoing.destroy(new Error('no end of the answer')), ANSWERS_WITHIN_MS);
    let isLate = false;
    outgoing.once('error', (error) => {
      isLate = error.message === 'no end of the answer';
      reject(error); // after a head it was resolved by the end of what came
    });
    outgoing.once('close', () => clearTimeout(timer));
    outgoing.once('response', (incoming) => {
      outgoing.removeAllListeners('error').on('error', (error) => {
        isLate = error.message === 'no end of the answer';
      });
      let text = '';
      incoming.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      incoming.on('error', () => undefined);
      incoming.once('close', () => {
        const { statusCode: status = 0, headers, complete: isWhole } = incoming;
        if (isLate) reject(new Error('no end of the answer'));
        else resolve({ status, headers, text, isWhole });
      });
    });
    outgoing.end();
  });

/** D7: an upstream that is not hurt answers, each request its own; a hurt one that, or it is told, or seen. */
export class UpstreamLoad implements RowLoad {
  readonly tally = new Tally();
  readonly #upstreams: readonly LinkedUpstream[];
  #violations: string[] = [];
  #asked = 0;

  constructor(upstreams: readonly LinkedUpstream[]) {
    this.#upstreams = upstreams;
  }

  clientsOf(edge: string, hurt: ReadonlySet<Part>): readonly (() => Promise<void>)[] {
    return this.#upstreams.flatMap(({ upstream: { name } }) => {
      const isHurt = hurt.has(`link ${name}` as Part);
      return Array.from({ length: CLIENTS }, () => () => this.#ask(edge, name, isHurt));
    });
  }

  takeViolations(): readonly string[] {
    const taken = this.#violations;
    this.#violations = [];
    return taken;
  }

  get figures(): string {
    return `upstreams: ${this.tally.text}`;
  }

  /** Every upstream answers through every edge. */
  async recovered(edges: GatewayWorld['edges']): Promise<void> {
    const pairs = edges.flatMap(({ url }) =>
      this.#upstreams.map(({ upstream: { name } }) => ({ url, name })),
    );
    await Promise.all(
      pairs.map(({ url, name }) =>
        eventually(async () => {
          const problem = this.#problemOf(await this.#read(url, name), false);
          if (problem !== undefined) throw new Error(`${url}, ${name}: ${problem}`);
        }, RECOVERS_WITHIN_MS),
      ),
    );
  }

  async #ask(edge: string, name: string, isHurt: boolean): Promise<void> {
    const problem = await this.#read(edge, name).then(
      (seen) => this.#problemOf(seen, isHurt),
      (error: unknown) => `${error}`,
    );
    if (problem !== undefined)
      this.#violations.push(`${edge}, ${name}${isHurt ? ' (hurt)' : ''}: ${problem}`);
  }

  async #read(edge: string, name: string): Promise<Seen> {
    const number = ++this.#asked;
    return { ...(await read(edge, `/${name}/${number}`)), number, name };
  }

  /** What is not as promised; undefined: nothing. */
  #problemOf(seen: Seen, isHurt: boolean): string | undefined {
    const { status, headers, text, isWhole, number, name } = seen;
    const echo = echoOf(name, number);
    if (status !== 200) {
      this.tally.add(`${status}`);
      return isHurt && isWhole && FAILURES.has(status) ? undefined : `${status} ${text.slice(0, 80)}`;
    }
    this.tally.add(isWhole ? 'answered' : 'broken off');
    const isOwn =
      headers['x-echo'] === `${number}` && (isWhole ? text === echo : echo.startsWith(ofUpstream(text)));
    if (!isOwn)
      return `asked ${number}, answered ${headers['x-echo']}: ${text.length} bytes, ${text.slice(0, 80)}`;
    return isWhole || isHurt ? undefined : `broke off after ${text.length} of ${echo.length} bytes`;
  }
}

const ofUpstream = (text: string): string => text.split(NO_TEXT)[0] ?? '';
