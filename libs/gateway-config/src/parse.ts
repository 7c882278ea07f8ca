import { DocumentSize, DocumentTooLarge, limitJson, limitLines } from './document-size.ts';
import { isRecord, type Locate, type Path, type Position } from './path.ts';
import { collectMarks, lineIndex } from './yaml/marks.ts';
import { readFlow } from './yaml/read-flow.ts';
import { readPlainYaml } from './yaml/read-plain-yaml.ts';
import { MAX_LIBRARY_LENGTH, readWithLibrary } from './yaml/read-with-library.ts';

/** Characters of one configuration text; a bigger one is refused before it is read. */
export const MAX_CONFIG_LENGTH = 32 * 1024 * 1024;
const MAX_DEPTH = 100;
const NOT_PLAIN =
  `anchors, tags, repeated keys or values of several lines; a text of more than ${MAX_LIBRARY_LENGTH} characters ` +
  'may not have them';
/** Characters; finding places costs a second reading. */
const MAX_LOCATED_LENGTH = 4_000_000;

/** A text that was read, or why it could not be. `locate` tells where a path of `value` is written. */
export type Parsed =
  | { readonly ok: true; readonly value: Record<string, unknown>; readonly locate: Locate }
  | { readonly ok: false; readonly message: string; readonly position?: Position };

interface Readable {
  readonly value: unknown;
  readonly locate: Locate;
  /** The reader itself refuses what `refuseHostile` looks for. */
  readonly isHarmless?: true;
}

/** Reads a configuration text as Kong does: JSON if it is, else YAML. Any value is fine, see `parseConfigText`. */
export const parseText = (
  source: string,
): (Readable & { readonly ok: true }) | Extract<Parsed, { ok: false }> => {
  if (source.length > MAX_CONFIG_LENGTH)
    return { ok: false, message: `longer than ${MAX_CONFIG_LENGTH} characters` };
  try {
    limitLines(source);
    return readText(source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'));
  } catch (error) {
    if (error instanceof DocumentTooLarge) return { ok: false, message: error.message };
    throw error;
  }
};

const readText = (text: string): ReturnType<typeof parseText> => {
  const json = readJson(text);
  if (json !== undefined) return { ok: true, value: json.value, locate: lazily(text, jsonLocate) };
  const plain = readPlainYaml(text);
  if (plain.ok) return { ok: true, value: plain.value, locate: lazily(text, plainLocate), isHarmless: true };
  if (text.length > MAX_LIBRARY_LENGTH)
    return { ok: false, message: NOT_PLAIN, position: lineIndex(text)(plain.stoppedAt) };
  return readWithLibrary(text);
};

/** Reads a configuration text; anything but an object, and keys that reach for the prototype, are refused. */
export const parseConfigText = (source: string): Parsed => {
  const parsed = parseText(source);
  if (!parsed.ok) return parsed;
  const problem = parsed.isHarmless ? undefined : refuseHostile(parsed.value);
  if (problem !== undefined) return withPosition(problem.message, parsed.locate(problem.path));
  if (!isRecord(parsed.value)) return { ok: false, message: 'expected an object' };
  return { ok: true, value: parsed.value, locate: parsed.locate };
};

/** What no configuration may hold, whatever form it came in: a `__proto__` key, absurd nesting. */
export const refuseHostile = (root: unknown): { path: Path; message: string } | undefined => {
  const path: (string | number)[] = [];
  const visit = (value: unknown): string | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (path.length > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        path.push(index);
        const problem = visit(value[index]);
        if (problem !== undefined) return problem;
        path.pop();
      }
      return undefined;
    }
    for (const key of Object.keys(value)) {
      path.push(key);
      if (key === '__proto__') return "the key '__proto__' is not allowed";
      const problem = visit((value as Record<string, unknown>)[key]);
      if (problem !== undefined) return problem;
      path.pop();
    }
    return undefined;
  };
  const message = visit(root);
  return message === undefined ? undefined : { path: [...path], message };
};

const withPosition = (message: string, position: Position | undefined): Extract<Parsed, { ok: false }> =>
  position === undefined ? { ok: false, message } : { ok: false, message, position };

/**
 * JSON.parse for texts that anybody may have written.
 * @throws SyntaxError
 * @throws DocumentTooLarge where it holds more, or deeper, than anything of ours.
 */
export const parseJson = (text: string): unknown => {
  limitJson(text);
  return JSON.parse(text);
};

const readJson = (text: string): { value: unknown } | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (error instanceof DocumentTooLarge) throw error;
    return undefined; // YAML's flow style begins alike
  }
};

/** Positions are wanted only for errors, so the second reading waits until then. */
const lazily = (text: string, make: (text: string) => Locate): Locate => {
  if (text.length > MAX_LOCATED_LENGTH) return () => undefined;
  let locate: Locate | undefined;
  return (path) => {
    locate ??= make(text);
    return locate(path);
  };
};

const jsonLocate = (text: string): Locate => {
  const marks = collectMarks(text);
  const read = readFlow({ text, multiline: true, marks, size: new DocumentSize() }, text.search(/\S/));
  return read === undefined ? () => undefined : marks.locateIn(read.value);
};

const plainLocate = (text: string): Locate => {
  const marks = collectMarks(text);
  const read = readPlainYaml(text, marks);
  return !read.ok ? () => undefined : marks.locateIn(read.value);
};
