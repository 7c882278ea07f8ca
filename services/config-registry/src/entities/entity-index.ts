/*
 * What a write must know without looking at every entity: who has a unique value, and who refers to whom. Kept
 * beside the follower's state by the same commits, so with 10,000 routes a write still looks at one.
 */
import type { ConfigOp, Kind } from '@sluice/contracts';
import { kindNames } from '@sluice/contracts';
import { type ConfigState, canonicalJson, foreignFields, schemaOf } from '@sluice/gateway-config';

type Values = Readonly<Record<string, unknown>>;

/** One entity that refers to another one by a field. */
export interface Referrer {
  readonly kind: Kind;
  readonly field: string;
  readonly id: string;
}

/** Values that only one entity of a kind may have, together. */
export type UniqueValues = Readonly<Record<string, unknown>>;

interface Rules {
  readonly single: readonly string[];
  /** Fields that are unique together; their order is that of the key. */
  readonly together: readonly string[];
  readonly references: readonly (readonly [field: string, to: Kind])[];
}

const rulesByKind = new Map<Kind, Rules>();

const rulesOf = (kind: Kind): Rules => {
  const known = rulesByKind.get(kind);
  if (known !== undefined) return known;
  const schema = schemaOf(kind);
  const { endpointKey, unique = [], cacheKey = [] } = schema ?? {};
  const rules = {
    single: [...(endpointKey === undefined ? [] : [endpointKey]), ...unique],
    together: cacheKey.length > 1 ? [...cacheKey].sort() : [],
    references: schema === undefined ? [] : foreignFields(schema),
  };
  rulesByKind.set(kind, rules);
  return rules;
};

/** The fields of a kind that refer to others, with the kind they refer to. */
export const referencesOf = (kind: Kind): Rules['references'] => rulesOf(kind).references;

/** The values of an entity that no other one of its kind may have. */
export const uniqueValuesOf = (kind: Kind, entity: Values): UniqueValues[] => {
  const { single, together } = rulesOf(kind);
  const found: UniqueValues[] = single
    .filter((field) => typeof entity[field] === 'string')
    .map((field) => ({ [field]: entity[field] }));
  if (together.length > 0)
    found.push(Object.fromEntries(together.map((field) => [field, entity[field] ?? null])));
  return found;
};

const uniqueKey = (kind: Kind, values: UniqueValues): string => {
  const [field = '', ...others] = Object.keys(values);
  const value = values[field];
  // Most have one: with 10,000 routes the general form is a third of the index.
  if (others.length === 0 && typeof value === 'string') return `${kind}\0${field}\0${value}`;
  return `${kind}\0${canonicalJson(values)}`;
};
const placeOf = (kind: Kind, id: string): string => `${kind}\0${id}`;

interface Entry {
  readonly unique: readonly string[];
  readonly refersTo: readonly string[];
}

/** Made when it is first asked: who posts whole configurations only never needs it. */
export class EntityIndex {
  readonly #owners = new Map<string, string>();
  readonly #referrers = new Map<string, Map<string, Referrer>>();
  readonly #entries = new Map<string, Entry>();
  /** What the index is to be made of; it goes on changing with the commits until then. */
  #source: ConfigState | undefined;

  /** Begins anew with a whole state, which is then followed by `apply`. */
  rebuild(state: ConfigState): void {
    this.#owners.clear();
    this.#referrers.clear();
    this.#entries.clear();
    this.#source = state;
  }

  /** Follows the operations of one commit, which the state has already. */
  apply(ops: readonly ConfigOp[]): void {
    if (this.#source !== undefined) return;
    for (const op of ops) {
      this.#drop(op.kind, op.id);
      if (op.op === 'put') this.#add(op.kind, op.id, op.entity);
    }
  }

  /** The id of the entity that has these values. */
  ownerOf(kind: Kind, values: UniqueValues): string | undefined {
    this.#make();
    return this.#owners.get(uniqueKey(kind, values));
  }

  /** Everything that refers to an entity. */
  referrersOf(kind: Kind, id: string): readonly Referrer[] {
    this.#make();
    return [...(this.#referrers.get(placeOf(kind, id))?.values() ?? [])];
  }

  #make(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    for (const kind of kindNames)
      for (const entity of source.list(kind)) this.#add(kind, entity.id, entity as never);
  }

  #add(kind: Kind, id: string, entity: Values): void {
    const unique = uniqueValuesOf(kind, entity).map((values) => uniqueKey(kind, values));
    for (const key of unique) this.#owners.set(key, id);
    const refersTo: string[] = [];
    for (const [field, to] of referencesOf(kind)) {
      const reference = entity[field] as { id?: string } | null | undefined;
      if (typeof reference?.id !== 'string') continue;
      const place = placeOf(to, reference.id);
      const referrers = this.#referrers.get(place) ?? new Map<string, Referrer>();
      this.#referrers.set(place, referrers);
      referrers.set(`${kind}\0${field}\0${id}`, { kind, field, id });
      refersTo.push(`${place}\0${field}`);
    }
    this.#entries.set(placeOf(kind, id), { unique, refersTo });
  }

  #drop(kind: Kind, id: string): void {
    const entry = this.#entries.get(placeOf(kind, id));
    if (entry === undefined) return;
    this.#entries.delete(placeOf(kind, id));
    for (const key of entry.unique) if (this.#owners.get(key) === id) this.#owners.delete(key);
    for (const reference of entry.refersTo) {
      const at = reference.lastIndexOf('\0');
      const place = reference.slice(0, at);
      const referrers = this.#referrers.get(place);
      referrers?.delete(`${kind}\0${reference.slice(at + 1)}\0${id}`);
      if (referrers?.size === 0) this.#referrers.delete(place);
    }
  }
}
