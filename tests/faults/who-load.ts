import { type Answer, eventually, type OidcIssuer } from '@sluice/testkit';
import { callWithin } from './config-load.ts';
import type { GatewayWorld } from './gateway-world.ts';
import { type RowLoad, SeenFallbacks, Tally } from './row-load.ts';

const PATH = '/guarded';
const RECOVERS_WITHIN_MS = 30_000;
const LONG_ENDED_SECONDS = 60;
const AUTH_AWAY = /Authentication is unavailable/;

type Kind = 'fresh' | 'known' | 'tampered' | 'unknown key' | 'unsigned' | 'expired' | 'missing';
const KINDS: readonly Kind[] = [
  ...(['fresh', 'tampered', 'known', 'unknown key', 'fresh'] as const),
  ...(['expired', 'unsigned', 'known', 'missing'] as const),
];
const VALID: ReadonlySet<Kind> = new Set(['fresh', 'known']);

const partsOf = (token: string): readonly [string, string, string] => {
  const [head = '', claims = '', signature = ''] = token.split('.');
  return [head, claims, signature];
};

/** D1: who may pass is let in or told to wait, and nobody else is ever let in. */
export class WhoLoad implements RowLoad {
  readonly fallbacks = new SeenFallbacks();
  readonly tally = new Tally();
  readonly #issuer: OidcIssuer;
  #known: Promise<string> | undefined;
  #violations: string[] = [];
  #asked = 0;

  constructor(issuer: OidcIssuer) {
    this.#issuer = issuer;
  }

  clientsOf(edge: string): readonly (() => Promise<void>)[] {
    return [() => this.#ask(edge)];
  }

  takeViolations(): readonly string[] {
    const taken = this.#violations;
    this.#violations = [];
    return taken;
  }

  get figures(): string {
    return `tokens: ${this.tally.text}`;
  }

  /** A token that nobody has seen is let in by every edge, and one that is not valid is refused for what it is. */
  async recovered(edges: GatewayWorld['edges']): Promise<void> {
    await Promise.all(
      edges.map(({ url }) =>
        eventually(async () => {
          for (const [kind, wanted] of [
            ['fresh', 200],
            ['tampered', 401],
          ] as const) {
            const { status } = await this.#askAs(url, kind);
            if (status !== wanted) throw new Error(`${url}: ${kind} token, ${status} instead of ${wanted}`);
          }
        }, RECOVERS_WITHIN_MS),
      ),
    );
  }

  async #ask(edge: string): Promise<void> {
    const kind = KINDS[this.#asked++ % KINDS.length] ?? 'fresh';
    try {
      await this.#askAs(edge, kind);
    } catch (error) {
      this.#violations.push(`${edge}, ${kind} token: ${error}`);
    }
  }

  async #askAs(edge: string, kind: Kind): Promise<Answer> {
    const token = await this.#tokenOf(kind);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await callWithin(edge, PATH, { headers });
    this.#judge(edge, kind, answer);
    return answer;
  }

  #judge(edge: string, kind: Kind, { status, headers, text }: Answer): void {
    const isValid = VALID.has(kind);
    const isToldToWait = status === 503 && headers['retry-after'] !== undefined;
    const isRight = status === (isValid ? 200 : 401);
    this.tally.add(isRight ? (isValid ? 'let in' : 'refused') : `${status}`);
    if (status === 503 && AUTH_AWAY.test(text)) this.fallbacks.add(edge);
    if (!isRight && !isToldToWait)
      this.#violations.push(`${edge}, ${kind} token: ${status} ${text.slice(0, 80)}`);
  }

  async #tokenOf(kind: Kind): Promise<string | undefined> {
    const issuer = this.#issuer;
    switch (kind) {
      case 'missing':
        return undefined;
      case 'known':
        this.#known ??= issuer.token();
        return this.#known;
      case 'fresh':
        return issuer.token();
      case 'unknown key':
        return issuer.token({}, { kid: crypto.randomUUID() });
      case 'expired':
        return issuer.token({ exp: Math.floor(Date.now() / 1000) - LONG_ENDED_SECONDS });
      case 'unsigned': {
        const [, claims] = partsOf(await issuer.token());
        return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
      }
      case 'tampered': {
        const [[head, , signature], [, claims]] = [
          partsOf(await issuer.token()),
          partsOf(await issuer.token()),
        ];
        return `${head}.${claims}.${signature}`;
      }
    }
  }
}
