/** Keys of an object in the order they came, and sorted. */
interface Shape {
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
  /** `,"key":` for each sorted key. */
  readonly labels: readonly string[];
  readonly isSorted: boolean;
}

/** The shape last seen of each number of keys: entities of one kind come in rows, and sorting costs most. */
const shapes: (Shape | undefined)[] = [];
const MAX_REMEMBERED = 64; // keys

const shapeOf = (record: Readonly<Record<string, unknown>>): Shape => {
  const keys = Object.keys(record);
  const known = shapes[keys.length];
  if (known !== undefined && isSameList(keys, known.keys)) return known;
  const sorted = [...keys].sort();
  const labels = sorted.map((key) => `,${JSON.stringify(key)}:`);
  const shape = { keys, sorted, labels, isSorted: isSameList(keys, sorted) };
  if (keys.length <= MAX_REMEMBERED) shapes[keys.length] = shape;
  return shape;
};

// Loops count their steps: see schema/quick-check.ts.
const isSameList = (a: readonly string[], b: readonly string[]): boolean => {
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
};

/** True where `JSON.stringify` writes the canonical text by itself. */
const isCanonical = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1)
      if (typeof value[at] === 'object' && !isCanonical(value[at])) return false;
    return true;
  }
  const record = value as Readonly<Record<string, unknown>>;
  const { keys, isSorted } = shapeOf(record);
  if (!isSorted) return false;
  for (let at = 0; at < keys.length; at += 1) {
    const field = record[keys[at] as string];
    if (typeof field === 'object' && field !== null && !isCanonical(field)) return false;
  }
  return true;
};

const written = (value: unknown): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${written(item ?? null)}`;
    return `[${text}]`;
  }
  const record = value as Readonly<Record<string, unknown>>;
  const { sorted, labels } = shapeOf(record);
  for (let at = 0; at < sorted.length; at += 1) {
    const field = record[sorted[at] ?? ''];
    if (field !== undefined) text += `${labels[at]}${written(field)}`;
  }
  return `{${text.slice(1)}}`;
};

/** JSON with sorted keys: equal values have equal text, whatever order their fields were written in. */
export const canonicalJson = (value: unknown): string =>
  isCanonical(value) ? (JSON.stringify(value) ?? 'null') : written(value);
