import { fromByteString } from './byte-string.ts';
import type { Exchange, HeaderList } from './exchange.ts';
import type { Place } from './openapi-document.ts';
import { parseArgs } from './query-args.ts';
import type { Texts } from './validation-parameters.ts';

const add = (texts: Map<string, string[]>, name: string, value: string): void => {
  const before = texts.get(name);
  if (before === undefined) texts.set(name, [value]);
  else before.push(value);
};

const queryTexts = (query: string): Texts => {
  const texts = new Map<string, string[]>();
  for (const { name, value } of parseArgs(query))
    add(texts, fromByteString(name), value === true ? '' : fromByteString(value));
  return texts;
};

/** Names in lower case; repeated lines are one value, joined with commas (RFC 9110 section 5.2). */
export const headerTexts = (headers: HeaderList): Texts => {
  const texts = new Map<string, string[]>();
  for (const [name, value] of headers.entries()) {
    const lower = name.toLowerCase();
    const before = texts.get(lower)?.[0];
    texts.set(lower, [before === undefined ? value : `${before}, ${value}`]);
  }
  return texts;
};

const cookieTexts = (headers: HeaderList): Texts => {
  const texts = new Map<string, string[]>();
  for (const line of headers.getAll('cookie'))
    for (const pair of line.split(';')) {
      const at = pair.indexOf('=');
      if (at > 0) add(texts, pair.slice(0, at).trim(), pair.slice(at + 1).trim());
    }
  return texts;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no text in UTF-8: the schema judges it as it stands
  }
};

const pathTexts = (parameters: Readonly<Record<string, string>>): Texts =>
  new Map(Object.keys(parameters).map((name) => [name, [decoded(parameters[name] ?? '')]]));

/** The parameters of a request, by their place. */
export const textsOf = (
  exchange: Exchange,
  place: Place,
  pathParameters: Readonly<Record<string, string>>,
): Texts => {
  switch (place) {
    case 'query':
      return queryTexts(exchange.query);
    case 'header':
      return headerTexts(exchange.fromClient);
    case 'cookie':
      return cookieTexts(exchange.fromClient);
    case 'path':
      return pathTexts(pathParameters);
  }
};
