import { createHash } from 'node:crypto';
import type { ConfigOp, Kind } from '@sluice/contracts';
import {
  type BasicauthCredential,
  type ConfigState,
  ConsumerGroups,
  type HmacauthCredential,
  type KeyauthCredential,
  type Reference,
  type Stored,
} from '@sluice/gateway-config';

/** Entities of one kind, found by id and by a text that names them. */
class Index<E extends Stored> {
  readonly #nameOf: (entity: E) => string;
  readonly #byId = new Map<string, E>();
  readonly #byName = new Map<string, E>();

  constructor(nameOf: (entity: E) => string) {
    this.#nameOf = nameOf;
  }

  /** `undefined`: it was deleted. */
  put(id: string, entity: E | undefined): void {
    const before = this.#byId.get(id);
    const name = before && this.#nameOf(before);
    // Another may have taken the name over in the meantime.
    if (name !== undefined && this.#byName.get(name) === before) this.#byName.delete(name);
    this.#byId.delete(id);
    if (entity === undefined) return;
    this.#byId.set(id, entity);
    this.#byName.set(this.#nameOf(entity), entity);
  }

  named(name: string): E | undefined {
    return this.#byName.get(name);
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
  }
}

/** What an API key is found by: how long a look-up takes tells nothing about other keys. */
const digestOf = (key: string): string => createHash('sha256').update(key).digest('base64');

/** Finds consumers' keys, user names and groups in the configuration; a commit costs only what it touches. */
export class ConsumerCredentials {
  readonly #keys = new Index<KeyauthCredential>(({ key }) => digestOf(key));
  readonly #passwords = new Index<BasicauthCredential>(({ username }) => username);
  readonly #secrets = new Index<HmacauthCredential>(({ username }) => username);
  readonly #groups = new ConsumerGroups();

  load(state: ConfigState): void {
    for (const index of [this.#keys, this.#passwords, this.#secrets, this.#groups]) index.clear();
    for (const kind of INDEXED) for (const { id } of state.list(kind)) this.#put(kind, id, state);
  }

  follow(ops: readonly ConfigOp[], state: ConfigState): void {
    for (const { kind, id } of ops) if (isIndexed(kind)) this.#put(kind, id, state);
  }

  apiKey(key: string): KeyauthCredential | undefined {
    return this.#keys.named(digestOf(key));
  }

  password(username: string): BasicauthCredential | undefined {
    return this.#passwords.named(username);
  }

  secret(username: string): HmacauthCredential | undefined {
    return this.#secrets.named(username);
  }

  groupsOf({ id }: Reference): readonly string[] {
    return this.#groups.of(id);
  }

  #put(kind: Indexed, id: string, state: ConfigState): void {
    switch (kind) {
      case 'keyauth_credentials':
        this.#keys.put(id, state.get(kind, id));
        break;
      case 'basicauth_credentials':
        this.#passwords.put(id, state.get(kind, id));
        break;
      case 'hmacauth_credentials':
        this.#secrets.put(id, state.get(kind, id));
        break;
      case 'acls':
        this.#groups.put(id, state.get(kind, id));
    }
  }
}

const INDEXED = ['keyauth_credentials', 'basicauth_credentials', 'hmacauth_credentials', 'acls'] as const;
type Indexed = (typeof INDEXED)[number];
const isIndexed = (kind: Kind): kind is Indexed => (INDEXED as readonly Kind[]).includes(kind);
