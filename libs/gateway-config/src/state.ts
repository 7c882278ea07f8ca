import { hash as digestOf } from 'node:crypto';
import { type ConfigOp, type Kind, kindNames } from '@sluice/contracts';
import { canonicalJson } from './canonical-json.ts';
import type { EntityOf } from './model.ts';

const DIGEST_BITS = 256;
const HEX_LENGTH = 64;
const numberOf = (hash: string | undefined): bigint => (hash === undefined ? 0n : BigInt(`0x${hash}`));
const hexOf = (sum: bigint): string => sum.toString(16).padStart(HEX_LENGTH, '0');

/**
 * One entity as a state keeps it. It never changes, so states share it. `text` is its canonical JSON and what the
 * hash is of: snapshots, files and answers are made of it. `entity` is read from it when first asked for.
 */
interface Entry {
  entity: EntityOf<Kind> | undefined;
  /** Hex, 64 characters. */
  readonly hash: string;
  readonly text: string;
}

const entryOf = (kind: Kind, id: string, entity: object): Entry => {
  const text = canonicalJson(entity);
  return { entity: entity as EntityOf<Kind>, hash: digestOf('sha256', `${kind}\0${id}\0${text}`), text };
};

const entityIn = (entry: Entry): EntityOf<Kind> => {
  entry.entity ??= JSON.parse(entry.text) as EntityOf<Kind>;
  return entry.entity;
};

/** One entity of a state, as snapshots and files have it. */
export interface StateLine {
  readonly kind: Kind;
  readonly id: string;
  /** Hex, 64 characters: SHA-256 of kind, id and text. */
  readonly hash: string;
  /** Canonical JSON. */
  readonly text: string;
}

/** Entities of one kind that are read when somebody asks for them. */
export interface UnreadLines {
  readonly kind: Kind;
  readonly count: number;
  /** Of their hashes, modulo 2^256. */
  readonly sum: bigint;
  readonly read: () => Iterable<StateLine>;
}

export type Entities = { [K in Kind]?: readonly EntityOf<K>[] };

/**
 * The whole configuration at one version: entities by kind and id, and their digest. The digest is the sum of
 * the entities' SHA-256 modulo 2^256, so it does not depend on order and costs only what a change touches.
 */
export class ConfigState {
  /** Ask `#of`: what is in `#unread` is not here. */
  readonly #byKind = new Map<Kind, Map<string, Entry>>();
  readonly #unread = new Map<Kind, UnreadLines>();
  #sum = 0n;

  /** Hex, 64 characters; equal states have equal digests. */
  get digest(): string {
    return hexOf(this.#sum);
  }

  get size(): number {
    let size = 0;
    for (const kind of kindNames) size += this.count(kind);
    return size;
  }

  get<K extends Kind>(kind: K, id: string): EntityOf<K> | undefined {
    const entry = this.#of(kind)?.get(id);
    return entry && (entityIn(entry) as EntityOf<K>);
  }

  has(kind: Kind, id: string): boolean {
    return this.#of(kind)?.has(id) ?? false;
  }

  /** All entities of a kind, in the order they came. */
  *list<K extends Kind>(kind: K): Generator<EntityOf<K>> {
    for (const entry of this.#of(kind)?.values() ?? []) yield entityIn(entry) as EntityOf<K>;
  }

  ids(kind: Kind): Iterable<string> {
    return this.#of(kind)?.keys() ?? [];
  }

  count(kind: Kind): number {
    return this.#unread.get(kind)?.count ?? this.#byKind.get(kind)?.size ?? 0;
  }

  /** The canonical JSON of an entity. */
  textOf(kind: Kind, id: string): string | undefined {
    return this.#of(kind)?.get(id)?.text;
  }

  /** All of it as lines. They are taken one by one: the state may not change before the last one. */
  *lines(): Generator<StateLine> {
    for (const kind of kindNames)
      for (const [id, { hash, text }] of this.#of(kind) ?? []) yield { kind, id, hash, text };
  }

  /**
   * Puts what a line says and trusts its hash. An entity that `known` has in the same form is taken from there,
   * so whoever follows can tell by identity what did not change.
   */
  putLine({ kind, id, hash, text }: StateLine, known?: ConfigState): void {
    const before = known === undefined ? undefined : known.#of(kind)?.get(id);
    this.#put(kind, id, before?.hash === hash ? before : { entity: undefined, hash, text });
  }

  /** Puts all entities of a kind that has none yet, to be read when they are asked for. */
  putUnread(lines: UnreadLines): void {
    if (this.count(lines.kind) > 0) throw new Error(`there are ${lines.kind} already`);
    this.#unread.set(lines.kind, lines);
    this.#sum = BigInt.asUintN(DIGEST_BITS, this.#sum + lines.sum);
  }

  /** Puts an entity as another state has it, which must have it. */
  putFrom(other: ConfigState, kind: Kind, id: string): void {
    const entry = other.#of(kind)?.get(id);
    if (entry === undefined) throw new Error(`no ${kind} '${id}' in the other state`);
    this.#put(kind, id, entry);
  }

  /** Puts an entity, which may not change any more. */
  put(kind: Kind, id: string, entity: object): void {
    this.#put(kind, id, entryOf(kind, id, entity));
  }

  /** Applies the operations of one commit, in order. */
  apply(ops: readonly ConfigOp[]): void {
    for (const op of ops)
      if (op.op === 'put') this.put(op.kind, op.id, op.entity);
      else {
        const before = this.#of(op.kind)?.get(op.id);
        if (before === undefined) continue;
        this.#of(op.kind)?.delete(op.id);
        this.#sum = BigInt.asUintN(DIGEST_BITS, this.#sum - numberOf(before.hash));
      }
  }

  /** The digest this state would have after the operations, without applying them. */
  digestAfter(ops: readonly ConfigOp[]): string {
    const changed = new Map<string, bigint>();
    let sum = this.#sum;
    for (const op of ops) {
      const key = `${op.kind}\0${op.id}`;
      sum -= changed.get(key) ?? numberOf(this.#of(op.kind)?.get(op.id)?.hash);
      const hash = op.op === 'put' ? numberOf(entryOf(op.kind, op.id, op.entity).hash) : 0n;
      changed.set(key, hash);
      sum += hash;
    }
    return hexOf(BigInt.asUintN(DIGEST_BITS, sum));
  }

  /** A copy that changes on its own; the entities themselves are shared. */
  clone(): ConfigState {
    const copy = new ConfigState();
    for (const [kind, entities] of this.#byKind) copy.#byKind.set(kind, new Map(entities));
    for (const [kind, lines] of this.#unread) copy.#unread.set(kind, lines);
    copy.#sum = this.#sum;
    return copy;
  }

  /** Plain data, for snapshots and the last-known-good file. */
  toEntities(): Entities {
    return Object.fromEntries(
      kindNames.filter((kind) => this.count(kind) > 0).map((kind) => [kind, [...this.list(kind)]]),
    );
  }

  static fromEntities(entities: Entities): ConfigState {
    const state = new ConfigState();
    for (const kind of kindNames)
      state.apply(
        (entities[kind] ?? []).map((entity) => ({ op: 'put', kind, id: entity.id, entity: { ...entity } })),
      );
    return state;
  }

  /**
   * The operations that lead from here to another state; fields that only say when are not a difference. They
   * share their entities with the state.
   */
  diffTo(to: ConfigState): ConfigOp[] {
    const ops: ConfigOp[] = [];
    for (const kind of [...kindNames].reverse())
      for (const id of this.ids(kind)) if (!to.has(kind, id)) ops.push({ op: 'delete', kind, id });
    for (const kind of kindNames)
      for (const [id, entry] of to.#of(kind) ?? []) {
        const before = this.#of(kind)?.get(id);
        if (before !== undefined && isUnchanged(before, entry)) continue;
        ops.push({ op: 'put', kind, id, entity: entityIn(entry) as { id: string } });
      }
    return ops;
  }

  #of(kind: Kind): Map<string, Entry> | undefined {
    const unread = this.#unread.size === 0 ? undefined : this.#unread.get(kind);
    if (unread !== undefined) {
      this.#unread.delete(kind);
      const entities = new Map<string, Entry>();
      for (const { id, hash, text } of unread.read()) entities.set(id, { entity: undefined, hash, text });
      this.#byKind.set(kind, entities);
    }
    return this.#byKind.get(kind);
  }

  #put(kind: Kind, id: string, entry: Entry): void {
    let entities = this.#of(kind);
    if (entities === undefined) {
      entities = new Map();
      this.#byKind.set(kind, entities);
    }
    const replaced = entities.get(id);
    entities.set(id, entry);
    const added = this.#sum + numberOf(entry.hash);
    this.#sum = BigInt.asUintN(DIGEST_BITS, replaced === undefined ? added : added - numberOf(replaced.hash));
  }
}

const isUnchanged = (before: Entry, after: Entry): boolean =>
  before.hash === after.hash || sameButTimes(entityIn(before), entityIn(after));

/** The operations that lead from one state to another; fields that only say when are not a difference. */
export const diffStates = (from: ConfigState, to: ConfigState): ConfigOp[] => from.diffTo(to);

/** True where both have the same canonical JSON, without writing it. */
const isSameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return isSameFields(a as Fields, b as Fields, NONE);
};

type Fields = Readonly<Record<string, unknown>>;
const NONE: ReadonlySet<string> = new Set();
const TIMES: ReadonlySet<string> = new Set(['created_at', 'updated_at']);

const isSameFields = (a: Fields, b: Fields, ignored: ReadonlySet<string>): boolean => {
  for (const key of Object.keys(a)) if (!ignored.has(key) && !isSameJson(a[key], b[key])) return false;
  // What only `b` has must be undefined, which JSON does not know.
  for (const key of Object.keys(b))
    if (!ignored.has(key) && b[key] !== undefined && a[key] === undefined) return false;
  return true;
};

/** True where two entities differ at most in their times. */
export const sameButTimes = (a: object, b: object): boolean => isSameFields(a as Fields, b as Fields, TIMES);
