import { toByteString } from './byte-string.ts';
import type { Exchange } from './exchange.ts';
import { isIdentityHeader } from './headers.ts';
import { parseArgs } from './query-args.ts';
import type { Place, RequestTransformerConfig } from './request-transformer-config.ts';
import { compileTemplate, type Template, type TemplateScope } from './template.ts';
import { hasRules, type Rules, splitEntry } from './transform-rules.ts';

/** With these methods the fields of a form move into the query, as in Kong. */
const METHODS_WITHOUT_BODY = new Set(['GET', 'HEAD', 'TRACE']);

/** A configuration made ready for requests. */
export interface Prepared {
  readonly method: string | null;
  readonly uri: Template | undefined;
  readonly headers: Rules;
  readonly query: Rules | undefined;
  readonly body: Rules | undefined;
  readonly movesForm: boolean;
  /** Headers that templates read, in lower case. */
  readonly reads: readonly string[];
}

const compileEntry = (entry: string) => {
  const { name, value } = splitEntry(entry);
  return { name: toByteString(name), value: compileTemplate(toByteString(value)) };
};

const compileRules = (config: RequestTransformerConfig, place: Place): Rules => ({
  remove: config.remove[place].map((entry) => toByteString(splitEntry(entry).name)),
  rename: config.rename[place].map(compileEntry),
  replace: config.replace[place].map(compileEntry),
  add: config.add[place].map(compileEntry),
  append: config.append[place].map(compileEntry),
});

const templatesOf = ({ rename, replace, add, append }: Rules): Template[] =>
  [rename, replace, add, append].flat().map(({ value }) => value);

/** Compiles every template and sorts the rules by what they change. */
export const prepare = (config: RequestTransformerConfig): Prepared => {
  const [headers, query, body] = [
    compileRules(config, 'headers'),
    compileRules(config, 'querystring'),
    compileRules(config, 'body'),
  ];
  const uri = config.replace.uri === null ? undefined : compileTemplate(toByteString(config.replace.uri));
  const templates = [headers, query, body].flatMap(templatesOf).concat(uri ?? []);
  return {
    method: config.http_method,
    uri,
    headers,
    query: hasRules(query) ? query : undefined,
    body: hasRules(body) ? body : undefined,
    movesForm: METHODS_WITHOUT_BODY.has(config.http_method ?? ''),
    reads: [...new Set(templates.flatMap(({ headerNames }) => headerNames))],
  };
};

/**
 * The request before this plugin touches it. What the chain set (a request id, the consumer) stands over what
 * the client sent; a client's own identity headers are never read.
 */
export const openScope = (exchange: Exchange, reads: readonly string[]): TemplateScope => {
  const { fromClient, toUpstream, query, uriCaptures } = exchange;
  const read = (name: string): string | undefined =>
    toUpstream.get(name) || (isIdentityHeader(name) ? undefined : fromClient.get(name));
  const headers = new Map(reads.map((name) => [name, read(name)]));
  let args: ReturnType<typeof parseArgs> | undefined;
  return {
    header: (name) => headers.get(name),
    query: (name) => {
      args ??= parseArgs(query);
      return args.find((arg) => arg.name === name)?.value;
    },
    capture: (name) => (Object.hasOwn(uriCaptures, name) ? uriCaptures[name] : undefined),
  };
};
