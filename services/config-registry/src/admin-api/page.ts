/** A list as Kong pages it (kong-compat 5.2). */
export interface Page<E> {
  readonly data: readonly E[];
  readonly next: string | null;
  readonly offset?: string;
}

/** What is wrong with the arguments of a list, as the answer's body. */
export interface PageProblem {
  readonly code: number;
  readonly name: string;
  readonly message: string;
  readonly options?: Readonly<Record<string, string>>;
}

interface Listed {
  readonly id: string;
  readonly tags: readonly string[] | null;
}

const DEFAULT_SIZE = 100;
const MAX_SIZE = 1000;
const MAX_TAGS = 5;

const badSize = (message: string): PageProblem => ({ code: 9, name: 'invalid size', message });
const badTags = (why: string): PageProblem => ({
  code: 11,
  name: 'invalid options',
  message: `invalid option (tags: ${why})`,
  options: { tags: why },
});

const readSize = (text: string | undefined): number | PageProblem => {
  if (text === undefined) return DEFAULT_SIZE;
  const size = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(size)) return badSize('size must be a number');
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE)
    return badSize(`size must be an integer between 1 and ${MAX_SIZE}`);
  return size;
};

/** An offset is the id of the last entity of the page before. */
const readOffset = (text: string | undefined): string | PageProblem => {
  if (text === undefined) return '';
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    return Buffer.from(text, 'base64').toString();
  const message = `'${text}' is not a valid offset: bad base64 encoding`;
  return { code: 7, name: 'invalid offset', message };
};

/** `a,b` wants all of them, `a/b` any. */
const readTags = (text: string | undefined): ((tags: readonly string[]) => boolean) | PageProblem => {
  if (text === undefined) return () => true;
  if (text === '') return badTags('cannot be null');
  const isAny = text.includes('/');
  const wanted = text.split(isAny ? '/' : ',');
  if ((isAny && text.includes(',')) || wanted.length > MAX_TAGS || wanted.includes(''))
    return badTags('invalid filter syntax');
  return (tags) =>
    isAny ? wanted.some((tag) => tags.includes(tag)) : wanted.every((tag) => tags.includes(tag));
};

const textOf = (value: unknown): string | undefined => (Array.isArray(value) ? value : [value])[0];

/** One page of entities. `path` stands in `next`; a nested list ignores tags and its `next` names the offset only. */
export const pageOf = <E extends Listed>(
  entities: Iterable<E>,
  query: Readonly<Record<string, unknown>>,
  { path, isNested = false, compare }: { path: string; isNested?: boolean; compare?: (a: E, b: E) => number },
): { ok: true; page: Page<E> } | { ok: false; problem: PageProblem } => {
  const size = readSize(textOf(query.size));
  if (typeof size === 'object') return { ok: false, problem: size };
  const after = readOffset(textOf(query.offset));
  if (typeof after === 'object') return { ok: false, problem: after };
  const tags = isNested ? undefined : textOf(query.tags);
  const hasTags = readTags(tags);
  if (typeof hasTags === 'object') return { ok: false, problem: hasTags };

  const inOrder = [...entities]
    .filter((entity) => hasTags(entity.tags ?? []))
    .sort(compare ?? ((a, b) => (a.id < b.id ? -1 : 1)));
  const start = after === '' ? 0 : startAfter(inOrder, after, compare === undefined);
  const data = inOrder.slice(start, start + size);
  const last = data.at(-1);
  if (last === undefined || start + size >= inOrder.length) return { ok: true, page: { data, next: null } };
  const offset = Buffer.from(last.id).toString('base64');
  const next = [`${path}?offset=${encodeURIComponent(offset)}`];
  if (tags !== undefined) next.push(`tags=${encodeURIComponent(tags)}`);
  if (!isNested && query.size !== undefined) next.push(`size=${size}`);
  return { ok: true, page: { data, next: next.join('&'), offset } };
};

/** By id the place is known even when the entity itself is gone by now. */
const startAfter = (inOrder: readonly Listed[], after: string, isById: boolean): number => {
  const index = inOrder.findIndex(({ id }) => (isById ? id > after : id === after));
  if (index === -1) return inOrder.length;
  return isById ? index : index + 1;
};
