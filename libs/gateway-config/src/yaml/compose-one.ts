import { Composer, type Document, type LineCounter, Parser } from 'yaml';
import { kongBoolean } from './scalars.ts';

/** Where the library found the text wrong, as an offset into it. */
export class YamlRefused extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type Place = number | readonly [number, number] | { readonly offset: number };
const offsetOf = (place: Place): number =>
  typeof place === 'number' ? place : 'offset' in place ? place.offset : place[0];

/**
 * What the library's `parseDocument` does, but for its errors: that one makes an error of every character that is
 * wrong, which takes a quarter of a minute for a megabyte of them; here the first ends it.
 * @throws YamlRefused
 */
export const composeOne = (text: string, counter: LineCounter): Document.Parsed => {
  const composer = new Composer({
    merge: true,
    uniqueKeys: false, // quadratic in the library; `readWithLibrary` looks for them
    prettyErrors: false, // they quote the text, which may hold a secret
    logLevel: 'error', // so do its warnings, on this process's standard error
    customTags: (tags) => [kongBoolean, ...tags],
  });
  let first: YamlRefused | undefined;
  Object.assign(composer, {
    onError: (place: Place, _code: string, message: string, isWarning?: boolean) => {
      if (isWarning === true) return;
      first ??= new YamlRefused(message, offsetOf(place)); // the library catches it, and tells of it once more outside
      throw first;
    },
  });
  let document: Document.Parsed | undefined;
  const take = (next: Document.Parsed): void => {
    if (document !== undefined) throw new YamlRefused('Source contains multiple documents', next.range[0]);
    const [error] = next.errors;
    if (error !== undefined) throw new YamlRefused(error.message, error.pos[0]);
    document = next;
  };
  for (const token of new Parser(counter.addNewLine).parse(text)) {
    if (token.type === 'error') throw new YamlRefused(token.message, token.offset);
    for (const next of composer.next(token)) take(next as Document.Parsed);
  }
  for (const next of composer.end(true, text.length)) take(next as Document.Parsed);
  return document as unknown as Document.Parsed; // `end(true, …)` makes one at the latest
};
