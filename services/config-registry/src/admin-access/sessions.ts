import { randomBytes } from 'node:crypto';
import type { AdminToken } from './admin-tokens.ts';

const LIFE_MS = 8 * 3_600_000; // a working day
const MAX_SESSIONS = 1000;
const ID_BYTES = 32;

/** A browser that has logged in. */
export interface Session {
  readonly id: string;
  readonly who: AdminToken;
  /** What the console's own pages send along with a change; other pages cannot read it. */
  readonly csrf: string;
  readonly endsAtMs: number;
}

/** Who is logged in; in memory, so a restart logs everybody out. The oldest go first when there are too many. */
export class Sessions {
  readonly #byId = new Map<string, Session>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whole seconds that a session lives. */
  static readonly lifeSeconds = LIFE_MS / 1000;

  /** Logins that have not ended, and some that have and were not asked for since. */
  get size(): number {
    return this.#byId.size;
  }

  open(who: AdminToken): Session {
    const random = () => randomBytes(ID_BYTES).toString('base64url');
    const session = { id: random(), who, csrf: random(), endsAtMs: this.#now() + LIFE_MS };
    this.#byId.set(session.id, session);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MAX_SESSIONS && oldest !== undefined) this.#byId.delete(oldest);
    return session;
  }

  find(id: string): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined || session.endsAtMs > this.#now()) return session;
    this.#byId.delete(id);
    return undefined;
  }

  close(id: string): void {
    this.#byId.delete(id);
  }
}
