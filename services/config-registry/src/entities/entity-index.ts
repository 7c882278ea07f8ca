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

const uniqueKey = (kind: Kind, values: UniqueValues): string => `${kind}\0${canonicalJson(values)}`;
const placeOf = (kind: Kind, id: string): string => `${kind}\0${id}`;

interface Entry {
  readonly unique: readonly string[];
  readonly refersTo: readonly string[];
}

export class EntityIndex {
  #owners = new Map<string, string>();
  #referrers = new Map<string, Map<string, Referrer>>();
  #entries = new Map<string, Entry>();

  /** Begins anew with a whole state. */
  rebuild(state: ConfigState): void {
    this.#owners = new Map();
    this.#referrers = new Map();
    this.#entries = new Map();
    for (const kind of kindNames)
      for (const entity of state.list(kind)) this.#add(kind, entity.id, entity as never);
  }

  /** Follows the operations of one commit. */
  apply(ops: readonly ConfigOp[]): void {
    for (const op of ops) {
      this.#drop(op.kind, op.id);
      if (op.op === 'put') this.#add(op.kind, op.id, op.entity);
    }
  }

  /** The id of the entity that has these values. */
  ownerOf(kind: Kind, values: UniqueValues): string | undefined {
    return this.#owners.get(uniqueKey(kind, values));
  }

  /** Everything that refers to an entity. */
  referrersOf(kind: Kind, id: string): readonly Referrer[] {
    return [...(this.#referrers.get(placeOf(kind, id))?.values() ?? [])];
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
