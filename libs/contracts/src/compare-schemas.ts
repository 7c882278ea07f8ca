type Json = Readonly<Record<string, unknown>>;

/**
 * What of a message changed so that two releases beside each other misunderstand it. `narrower`: the new reader
 * refuses what the released sender sends. `wider`: the released reader refuses what the new sender may send.
 */
export interface SchemaBreak {
  /** `checks[].scheme`; empty: the message itself. */
  readonly field: string;
  readonly what: string;
  readonly effect: 'narrower' | 'wider';
}

const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'];
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'];
/** Fields that are another condition when they are another text. */
const CONDITIONS = ['pattern', 'format'];

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const shown = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');

/** Every break between two JSON Schemas (draft 7, as the contracts write them) of one message. */
export const compareSchemas = (released: Json, current: Json, field = ''): SchemaBreak[] => {
  const branches = branchesOf(released);
  if (branches !== undefined || branchesOf(current) !== undefined)
    return compareBranches(branches ?? [released], branchesOf(current) ?? [current], field);
  return [
    ...compareSets(typesOf(released), typesOf(current), field, 'type'),
    ...compareSets(valuesOf(released), valuesOf(current), field, 'value'),
    ...compareBounds(released, current, field),
    ...compareFields(released, current, field),
    ...compareInner(released, current, field),
  ];
};

const branchesOf = ({ anyOf, oneOf }: Json): readonly unknown[] | undefined =>
  Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;

/** Branch by branch in their order: one is added at the end or not at all. */
const compareBranches = (
  released: readonly unknown[],
  current: readonly unknown[],
  field: string,
): SchemaBreak[] => [
  ...released
    .slice(0, current.length)
    .flatMap((one, i) => compareSchemas(objectOf(one), objectOf(current[i]), field)),
  ...(released.length > current.length
    ? [{ field, what: 'one of its forms is gone', effect: 'narrower' as const }]
    : []),
  ...(current.length > released.length
    ? [{ field, what: 'has one more form', effect: 'wider' as const }]
    : []),
];

const typesOf = ({ type }: Json): readonly unknown[] | undefined =>
  type === undefined ? undefined : Array.isArray(type) ? type : [type];
const valuesOf = (schema: Json): readonly unknown[] | undefined =>
  'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined;

/** Undefined is: any. */
const compareSets = (
  released: readonly unknown[] | undefined,
  current: readonly unknown[] | undefined,
  field: string,
  kind: string,
): SchemaBreak[] => {
  if (released === undefined && current === undefined) return [];
  if (released === undefined)
    return [{ field, what: `only ${kind} ${shown(current ?? [])} now`, effect: 'narrower' }];
  if (current === undefined) return [{ field, what: `any ${kind} now`, effect: 'wider' }];
  const gone = released.filter((one) => !current.includes(one));
  const added = current.filter((one) => !released.includes(one));
  return [
    ...(gone.length === 0
      ? []
      : [{ field, what: `${kind} ${shown(gone)} is gone`, effect: 'narrower' as const }]),
    ...(added.length === 0
      ? []
      : [{ field, what: `${kind} ${shown(added)} is new`, effect: 'wider' as const }]),
  ];
};

const compareBounds = (released: Json, current: Json, field: string): SchemaBreak[] =>
  [...LOWER_BOUNDS, ...UPPER_BOUNDS, ...CONDITIONS].flatMap((name): SchemaBreak[] => {
    const [before, now] = [released[name], current[name]];
    if (before === now) return [];
    const what = `${name} ${before ?? 'none'} is ${now ?? 'none'} now`;
    const isCondition = CONDITIONS.includes(name);
    if (isCondition && before !== undefined && now !== undefined)
      return [
        { field, what, effect: 'narrower' },
        { field, what, effect: 'wider' },
      ];
    if (before === undefined || now === undefined)
      return [{ field, what, effect: now === undefined ? 'wider' : 'narrower' }];
    const isTighter = LOWER_BOUNDS.includes(name)
      ? Number(now) > Number(before)
      : Number(now) < Number(before);
    return [{ field, what, effect: isTighter ? 'narrower' : 'wider' }];
  });

const compareFields = (released: Json, current: Json, field: string): SchemaBreak[] => {
  const [before, now] = [objectOf(released.properties), objectOf(current.properties)];
  const [neededBefore, neededNow] = [listOf(released.required), listOf(current.required)];
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name): SchemaBreak[] => {
    const path = field === '' ? name : `${field}.${name}`;
    const isNew = !(name in before);
    const isGone = !(name in now);
    const needed = neededNow.includes(name) && !neededBefore.includes(name);
    const spared = neededBefore.includes(name) && !neededNow.includes(name);
    return [
      ...(needed
        ? [
            {
              field: path,
              what: isNew ? 'is new and required' : 'is required now',
              effect: 'narrower' as const,
            },
          ]
        : []),
      ...(spared
        ? [{ field: path, what: isGone ? 'is gone' : 'may be missing now', effect: 'wider' as const }]
        : []),
      ...(isNew || isGone ? [] : compareSchemas(objectOf(before[name]), objectOf(now[name]), path)),
    ];
  });
};

const compareInner = (released: Json, current: Json, field: string): SchemaBreak[] => [
  ...(isObject(released.items) && isObject(current.items)
    ? compareSchemas(released.items, current.items, `${field}[]`)
    : []),
  ...(isObject(released.additionalProperties) && isObject(current.additionalProperties)
    ? compareSchemas(released.additionalProperties, current.additionalProperties, `${field}.*`)
    : []),
];
