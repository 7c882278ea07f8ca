import { createHash } from 'node:crypto';

/** What the first record of a chain names as the hash before it. */
export const FIRST_PREV_HASH = '0'.repeat(64);

/** JSON with sorted keys: one text for one value. */
const canonical = (value: unknown): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(',')}}`;
};

/** SHA-256 of a whole message, fields that this release does not know included, without the hash in it. */
export const auditHash = (message: { readonly payload: object }): string => {
  const payload = { ...message.payload, hash: undefined };
  return createHash('sha256')
    .update(canonical({ ...message, payload }))
    .digest('hex');
};

/** What is wrong at one place of a chain. */
export interface ChainFault {
  /** Place in what was read, from 1. */
  readonly place: number;
  readonly sequence: number | undefined;
  readonly problem: string;
}

interface Link {
  readonly sequence: number;
  readonly hash: string;
}

/** Checks a chain record by record, in the order in which they are kept. */
export class ChainVerifier {
  readonly faults: ChainFault[] = [];
  #count = 0;
  #last: Link | undefined;
  readonly #beginsAt: number;

  /** @param beginsAt the sequence that must come first; older ones may have expired. */
  constructor(beginsAt = 1) {
    this.#beginsAt = beginsAt;
  }

  get count(): number {
    return this.#count;
  }

  /** The newest record so far: who keeps it elsewhere notices when the end of the chain is cut off. */
  get head(): Link | undefined {
    return this.#last;
  }

  add(message: unknown): void {
    this.#count += 1;
    const link = linkOf(message);
    if (link === undefined) {
      this.faults.push({ place: this.#count, sequence: undefined, problem: 'this is no audit record' });
      return;
    }
    for (const problem of this.#problemsOf(link))
      this.faults.push({ place: this.#count, sequence: link.sequence, problem });
    this.#last = { sequence: link.sequence, hash: link.hash };
  }

  #problemsOf({ sequence, hash, prevHash, computed }: ReadLink): string[] {
    const expected = this.#last === undefined ? this.#beginsAt : this.#last.sequence + 1;
    const before = this.#last?.hash ?? (sequence === 1 ? FIRST_PREV_HASH : undefined);
    return [
      ...(computed === hash ? [] : ['edited: its hash is not that of what it says']),
      ...(sequence > expected ? [`removed: ${gapOf(expected, sequence)}`] : []),
      ...(sequence < expected ? [`inserted or moved: ${expected} should stand here`] : []),
      ...(sequence === expected && before !== undefined && prevHash !== before
        ? ['does not follow from the record before it: one of the two was replaced']
        : []),
    ];
  }
}

const gapOf = (from: number, to: number): string =>
  from === to - 1 ? `${from} is missing before it` : `${from} to ${to - 1} are missing before it`;

interface ReadLink extends Link {
  readonly prevHash: string;
  readonly computed: string;
}

const linkOf = (message: unknown): ReadLink | undefined => {
  const { payload } = (message ?? {}) as { payload?: Partial<ReadLink> | null };
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { sequence, hash, prevHash } = payload;
  if (typeof sequence !== 'number' || typeof hash !== 'string' || typeof prevHash !== 'string')
    return undefined;
  return { sequence, hash, prevHash, computed: auditHash(message as { payload: object }) };
};
