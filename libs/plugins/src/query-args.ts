import { decodeArg, encodeArg } from './byte-string.ts';
import type { Fields } from './transform-rules.ts';

/** One argument of a query string or a form; `true` where there was no `=`. Values are byte strings. */
export interface Arg {
  readonly name: string;
  readonly value: string | true;
  /** As it stands in the text, so that what is not changed keeps its form. */
  readonly raw: string;
}

const parseArg = (raw: string): Arg => {
  const at = raw.indexOf('=');
  if (at < 0) return { name: decodeArg(raw), value: true, raw };
  return { name: decodeArg(raw.slice(0, at)), value: decodeArg(raw.slice(at + 1)), raw };
};

/** The arguments of a query string (without `?`) or of an urlencoded form, in order. */
export const parseArgs = (text: string): Arg[] =>
  text === ''
    ? []
    : text
        .split('&')
        .filter((part) => part !== '')
        .map(parseArg);

export const formatArgs = (args: readonly Arg[]): string => args.map(({ raw }) => raw).join('&');

const argOf = (name: string, value: string | true): Arg => ({
  name,
  value,
  raw: value === true ? encodeArg(name) : `${encodeArg(name)}=${encodeArg(value)}`,
});

/** The arguments as fields; the list itself is changed. Names are case-sensitive. */
export const argFields = (args: Arg[]): Fields => {
  const keep = (test: (arg: Arg) => boolean): void => {
    args.splice(0, args.length, ...args.filter(test));
  };
  return {
    has: (name) => args.some((arg) => arg.name === name),
    remove: (name) => keep((arg) => arg.name !== name),
    rename: (from, to) => {
      if (from === to) return;
      keep((arg) => arg.name !== to);
      args.forEach((arg, i) => {
        if (arg.name === from) args[i] = argOf(to, arg.value);
      });
    },
    set: (name, value) => {
      const at = args.findIndex((arg) => arg.name === name);
      if (at < 0) args.push(argOf(name, value));
      else {
        args[at] = argOf(name, value);
        args.splice(at + 1, args.length, ...args.slice(at + 1).filter((arg) => arg.name !== name));
      }
    },
    append: (name, value) => {
      args.push(argOf(name, value));
    },
  };
};
