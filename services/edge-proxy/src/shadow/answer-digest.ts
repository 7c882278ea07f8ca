import { createHash } from 'node:crypto';
import { isJsonType, mediaTypeOf, type ShadowTerms } from '@sluice/plugins';
import { type Ignored, ignoredTree } from './ignored.ts';
import { JsonSum } from './json-sum.ts';

/** What is known of a body that has passed. */
export interface Digest {
  readonly bytes: number;
  /** Undefined: the body is too large to be compared. */
  readonly hash: string | undefined;
  /** Of what its JSON says; undefined where it is none, or not asked for. */
  readonly json: string | undefined;
}

type Compare = ShadowTerms['compare'];

const trees = new WeakMap<Compare, Ignored>();
/** One tree for each plugin instance. */
const treeOf = (compare: Compare): Ignored | undefined => {
  const known = trees.get(compare);
  const tree = known ?? ignoredTree(compare.ignore);
  if (known === undefined && tree !== undefined) trees.set(compare, tree);
  return tree;
};

/** Takes the digest of a body while it passes, and keeps nothing of it. */
export class AnswerDigest {
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');
  readonly #json: JsonSum | undefined;
  #bytes = 0;

  constructor({ compare, maxAnswerBytes }: ShadowTerms, contentType: string | undefined, isEncoded: boolean) {
    this.#maxBytes = maxAnswerBytes;
    const isJson = compare.body === 'json' && !isEncoded && isJsonType(mediaTypeOf(contentType));
    this.#json = isJson ? new JsonSum(treeOf(compare)) : undefined;
  }

  /** More than may be compared has passed. */
  get isOver(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  update(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.isOver) return;
    this.#hash.update(chunk);
    this.#json?.update(chunk);
  }

  end(): Digest {
    const bytes = this.#bytes;
    if (this.isOver) return { bytes, hash: undefined, json: undefined };
    return { bytes, hash: this.#hash.digest('base64'), json: this.#json?.end() };
  }
}
