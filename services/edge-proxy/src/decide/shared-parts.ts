import type { TokenMarks } from '@sluice/contracts';
import type { AuthVerdict, Identity } from '@sluice/plugins';
import { LRUCache } from 'lru-cache';

/** Verdicts, and texts, that are known to stand in entries of the cache; those of many stay among them. */
const MAX_KNOWN = 4096;
/** Longer ones are somebody's own, and are not looked up: what is known stays within some megabytes. */
const MAX_VERDICT_CHARS = 1024;
const MAX_TEXT_CHARS = 128;

type Claims = NonNullable<Identity['claims']>;
/** Each mark has to be named: one that were forgotten here could not be revoked by. */
type EveryMark = { readonly [Mark in keyof TokenMarks]-?: TokenMarks[Mark] | undefined };

/**
 * What entries of the cache have in common, once. Each verdict comes out of a message of its own, with its own copy
 * of everything; a caller's next token gets the one there is. Objects are shared only whole, when every word in them
 * is the same: nobody holds a part of somebody else's identity. Texts are shared by themselves: none can be changed.
 */
export class SharedParts {
  readonly #verdicts = new LRUCache<string, AuthVerdict>({ max: MAX_KNOWN });
  readonly #texts = new LRUCache<string, string>({ max: MAX_KNOWN });

  /** A verdict that says the same. `json`: all that it says. */
  verdict(verdict: AuthVerdict, json: string): AuthVerdict {
    if (verdict.outcome !== 'allow') return verdict;
    if (json.length > MAX_VERDICT_CHARS) return this.#withSharedTexts(verdict);
    const known = this.#verdicts.get(json);
    if (known !== undefined) return known;
    const shared = this.#withSharedTexts(verdict);
    this.#verdicts.set(json, shared);
    return shared;
  }

  /** Marks that say the same. */
  marks({ jti, issuedAtMs, ...marks }: TokenMarks): TokenMarks {
    const every: EveryMark = {
      subject: this.#text(marks.subject),
      jti, // no two tokens have the same one
      tenant: this.#text(marks.tenant),
      kid: this.#text(marks.kid),
      consumer: this.#text(marks.consumer),
      issuer: this.#text(marks.issuer),
      issuedAtMs,
    };
    return every;
  }

  clear(): void {
    this.#verdicts.clear();
    this.#texts.clear();
  }

  #withSharedTexts(verdict: AuthVerdict & { outcome: 'allow' }): AuthVerdict {
    const { identity } = verdict;
    const { consumer, credential, claims } = identity;
    return {
      ...verdict,
      identity: {
        ...identity,
        consumer: consumer && { ...consumer, id: this.#text(consumer.id) },
        credential: credential && {
          ...credential,
          id: this.#text(credential.id),
          identifier: this.#text(credential.identifier),
        },
        tenantId: this.#text(identity.tenantId),
        platformId: this.#text(identity.platformId),
        userId: this.#text(identity.userId),
        claims: claims && this.#claims(claims),
      },
    };
  }

  #claims(claims: Claims): Claims {
    const texts: [string, Claims[string]][] = Object.entries(claims).map(([name, value]) => [
      name,
      typeof value === 'string' ? this.#text(value) : value,
    ]);
    return Object.fromEntries(texts);
  }

  #text<T extends string | undefined>(text: T): T {
    if (text === undefined || text.length > MAX_TEXT_CHARS) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known as T;
    this.#texts.set(text, text);
    return text;
  }
}
