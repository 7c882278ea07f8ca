import { isObject } from '../json-pointer.ts';

/** A text for a model, where it stands in the request. */
export interface PromptText {
  readonly role: string;
  readonly text: string;
  /** Puts another text in its place. */
  readonly replace: (text: string) => void;
}

const MAX_DEPTH = 8;
/** Keys under which a message, or a part of one, holds text. */
const TEXT_KEYS = [
  'content',
  'text',
  'parts',
  'arguments',
  'output',
  'input',
  'function',
  'tool_calls',
  'reasoning',
];
/** Where requests to models hold their texts, and who speaks there unless the text says so itself. */
const PLACES: readonly (readonly [key: string, role: string])[] = [
  ['messages', 'user'],
  ['prompt', 'user'],
  ['input', 'user'],
  ['inputs', 'user'],
  ['contents', 'user'],
  ['system', 'system'],
  ['instructions', 'system'],
  ['systemInstruction', 'system'],
  ['system_instruction', 'system'],
];

type Holder = Record<string | number, unknown>;

const collect = (
  holder: Holder,
  key: string | number,
  role: string,
  depth: number,
  found: PromptText[],
): void => {
  const value = holder[key];
  if (depth > MAX_DEPTH) return;
  if (typeof value === 'string') {
    const replace = (text: string): void => {
      holder[key] = text;
    };
    if (value !== '') found.push({ role, text: value, replace });
  } else if (Array.isArray(value)) {
    for (const i of value.keys()) collect(value as unknown as Holder, i, role, depth + 1, found);
  } else if (isObject(value)) {
    const own = typeof value.role === 'string' ? value.role : role;
    for (const inner of TEXT_KEYS)
      if (Object.hasOwn(value, inner)) collect(value as Holder, inner, own, depth + 1, found);
  }
};

/** Everything under a place that a path names is text of the user's. */
const collectAll = (holder: Holder, key: string | number, depth: number, found: PromptText[]): void => {
  const value = holder[key];
  if (typeof value === 'string') collect(holder, key, 'user', 0, found);
  else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH)
    for (const inner of Object.keys(value)) collectAll(value as Holder, inner, depth + 1, found);
};

/** A path such as `data.notes.*.text`, by its steps. */
export type TextPath = readonly string[];

const follow = (holder: Holder, path: TextPath, at: number, found: PromptText[]): void => {
  const step = path[at];
  if (step === undefined) return;
  const keys = step === '*' ? Object.keys(holder) : Object.hasOwn(holder, step) ? [step] : [];
  for (const key of keys) {
    const value = holder[key];
    if (at === path.length - 1) collectAll(holder, key, 0, found);
    else if (typeof value === 'object' && value !== null) follow(value as Holder, path, at + 1, found);
  }
};

/** All texts of a request for a model, every role and turn, in order. */
export const promptTexts = (request: unknown, paths: readonly TextPath[]): PromptText[] => {
  const found: PromptText[] = [];
  if (typeof request !== 'object' || request === null) return found;
  const holder = request as Holder;
  for (const [key, role] of PLACES) if (Object.hasOwn(holder, key)) collect(holder, key, role, 0, found);
  for (const path of paths) follow(holder, path, 0, found);
  return found;
};
