import { createHash } from 'node:crypto';
import type { Draft } from './errors/violation.ts';
import { requireSchema } from './schema/entities.ts';
import { canonicalJson } from './state.ts';

/** Kong's namespace of all declarative ids. */
const ROOT = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/** A UUID of version 5: the SHA-1 of namespace and name. */
export const uuid5 = (namespace: string, name: string): string => {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

const namespaces = new Map<string, string>();

/** The id that Kong gives to an entity of a kind with that key (kong-compat 1.3). */
export const deterministicId = (kind: string, key: string): string => {
  const namespace = namespaces.get(kind) ?? uuid5(ROOT, kind);
  namespaces.set(kind, namespace);
  return uuid5(namespace, key);
};

/** Gives out ids for one document; unnamed twins are told apart by their order. */
export const idGiver = (): ((draft: Draft) => string) => {
  const seen = new Map<string, number>();
  return (draft) => {
    const { id } = draft.entity;
    if (typeof id === 'string') return id;
    const key = cacheKeyOf(draft) ?? endpointKeyOf(draft);
    if (key !== undefined) return deterministicId(draft.kind, key);
    // Kong draws a random id here. Ours follows from the content, so that the same file is no change.
    const content = contentKeyOf(draft);
    const count = seen.get(content) ?? 0;
    seen.set(content, count + 1);
    return deterministicId(draft.kind, count === 0 ? content : `${content}#${count}`);
  };
};

const endpointKeyOf = ({ kind, submitted }: Draft): string | undefined => {
  const { endpointKey, cacheKey } = requireSchema(kind);
  if (endpointKey === undefined || cacheKey !== undefined) return undefined;
  const key = submitted[endpointKey];
  return typeof key === 'string' ? key : undefined;
};

/** `plugins:*:<name>:<route>:<service>:<consumer>`: references as written, the parent's by id. */
const cacheKeyOf = ({ kind, submitted, parent }: Draft): string | undefined => {
  const { cacheKey, fields } = requireSchema(kind);
  if (cacheKey === undefined) return undefined;
  const parts = [kind, '*'];
  for (const name of cacheKey) {
    const written = submitted[name];
    if (typeof written === 'string') parts.push(written);
    else if (written !== undefined)
      continue; // `{id}` and null leave no part at all
    else if (name === parent?.field) parts.push(String(parent.draft.entity.id));
    else if (fields[name]?.required === true || cacheKey.length === 1) return undefined;
    else parts.push('');
  }
  return parts.length > 2 ? parts.join(':') : undefined;
};

const contentKeyOf = ({ kind, submitted, parent }: Draft): string => {
  const { children } = requireSchema(kind);
  const own = Object.entries(submitted).filter(
    ([key]) =>
      !Object.hasOwn(children, key) && !['tags', 'created_at', 'updated_at', '_comment'].includes(key),
  );
  return `${kind}:${String(parent?.draft.entity.id ?? '')}:${canonicalJson(Object.fromEntries(own))}`;
};
