import { REVOCABLE, type Revocable, type Revocation, type TokenMarks } from '@sluice/contracts';

/**
 * The revocations in force, found by what they name. It only grows, and of two of the same value the later instant
 * holds: in which order they come, and how often, makes no difference.
 */
export class RevocationList {
  readonly #byValue: Readonly<Record<Revocable, Map<string, Revocation[]>>>;
  #size = 0;
  #changes = 0;

  constructor() {
    const maps = REVOCABLE.map((by) => [by, new Map<string, Revocation[]>()]);
    this.#byValue = Object.fromEntries(maps) as Record<Revocable, Map<string, Revocation[]>>;
  }

  /** Grows with each revocation that says something new: what was judged at a smaller number is judged again. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#size;
  }

  add(revocation: Revocation): void {
    const { by, value } = revocation;
    const same = this.#byValue[by].get(value) ?? [];
    const at = same.findIndex(({ issuer }) => issuer === revocation.issuer);
    const before = same[at];
    if (before !== undefined && before.notBeforeMs >= revocation.notBeforeMs) return;
    if (before === undefined) {
      this.#byValue[by].set(value, [...same, revocation]);
      this.#size += 1;
    } else same[at] = revocation;
    this.#changes += 1;
  }

  /** Whether this revocation, or a later one of the same value, is in force. */
  holds({ by, value, issuer, notBeforeMs }: Revocation): boolean {
    const same = this.#byValue[by].get(value) ?? [];
    return same.some((one) => one.issuer === issuer && one.notBeforeMs >= notBeforeMs);
  }

  /** Whether a token is refused. One that says not when it was issued counts as issued before. */
  refuses(token: TokenMarks): boolean {
    if (this.#size === 0) return false;
    for (const by of REVOCABLE) {
      const value = token[by];
      const same = value === undefined ? undefined : this.#byValue[by].get(value);
      if (same?.some((one) => concerns(one, token)) === true) return true;
    }
    return false;
  }
}

const concerns = ({ by, issuer, notBeforeMs }: Revocation, token: TokenMarks): boolean =>
  (issuer === undefined || issuer === token.issuer) &&
  (by === 'jti' || token.issuedAtMs === undefined || token.issuedAtMs < notBeforeMs);
