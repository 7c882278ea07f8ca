import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Draft } from './errors/violation.ts';
import { requireSchema } from './schema/entities.ts';

/** Kong's namespace of all declarative ids. */
const ROOT = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

const NAMESPACE_BYTES = 16;
const MAX_SCRATCH = 4096;
const scratch = Buffer.alloc(MAX_SCRATCH);
/** The first bytes of the scratch by their number: a view costs more than the hash. */
const views: (Buffer | undefined)[] = [];
const written = Buffer.alloc('00000000-0000-0000-0000-000000000000'.length, '-');
const HEX = Buffer.from('0123456789abcdef');

const namespaceBytes = new Map<string, Buffer>();
const bytesOf = (namespace: string): Buffer => {
  const known = namespaceBytes.get(namespace) ?? Buffer.from(namespace.replaceAll('-', ''), 'hex');
  namespaceBytes.set(namespace, known);
  return known;
};

/** A UUID of version 5: the SHA-1 of namespace and name. */
export const uuid5 = (namespace: string, name: string): string => {
  const length = NAMESPACE_BYTES + Buffer.byteLength(name);
  const bytes = length <= MAX_SCRATCH ? viewOf(length) : Buffer.alloc(length);
  bytes.set(bytesOf(namespace));
  bytes.write(name, NAMESPACE_BYTES);
  const digest = hash('sha1', bytes, 'latin1');
  let at = 0;
  for (let place = 0; place < NAMESPACE_BYTES; place += 1) {
    let byte = digest.charCodeAt(place);
    if (place === 6) byte = (byte & 0x0f) | 0x50; // version
    if (place === 8) byte = (byte & 0x3f) | 0x80; // variant
    if (place === 4 || place === 6 || place === 8 || place === 10) at += 1; // the hyphen is there
    written[at] = HEX[byte >> 4] ?? 0;
    written[at + 1] = HEX[byte & 0x0f] ?? 0;
    at += 2;
  }
  return written.toString('latin1');
};

const viewOf = (length: number): Buffer => {
  const known = views[length] ?? scratch.subarray(0, length);
  views[length] = known;
  return known;
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
