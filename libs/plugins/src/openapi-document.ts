import { isObject, localPointer, pointerStep, valueAt } from './json-pointer.ts';
import type { SchemaProblem } from './json-schema-survey.ts';

/** Where a parameter stands in a request. */
export const PLACES = ['path', 'query', 'header', 'cookie'] as const;
export type Place = (typeof PLACES)[number];

export interface Parameter {
  readonly place: Place;
  readonly name: string;
  readonly isRequired: boolean;
  /** A list is written as one name for each item, not with commas. */
  readonly isExploded: boolean;
  /** Pointer of its schema; undefined: any text will do. */
  readonly schema: string | undefined;
}

/** A kind of body: its media type or range, and the pointer of its schema where it is JSON that has one. */
export interface Media {
  readonly type: string;
  readonly schema: string | undefined;
}

/** What a response of one status looks like. */
export interface ResponseShape {
  readonly headers: readonly Parameter[];
  readonly media: readonly Media[];
}

/** One method of one path. */
export interface Operation {
  readonly parameters: readonly Parameter[];
  readonly body: { readonly isRequired: boolean; readonly media: readonly Media[] } | undefined;
  /** By status: `200`, `2XX` or `default`. */
  readonly responses: ReadonlyMap<string, ResponseShape>;
}

export interface OpenApi {
  /** Operations by path template, then by method in upper case. */
  readonly paths: ReadonlyMap<string, ReadonlyMap<string, Operation>>;
  /** Path of the first server, without its last slash. */
  readonly basePath: string;
  readonly problems: readonly SchemaProblem[];
  readonly warnings: readonly SchemaProblem[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const MAX_REFS = 16;
/** Headers that OpenAPI leaves to other parts of a document. */
const FOREIGN_HEADERS = ['accept', 'content-type', 'authorization'];

interface Reader {
  readonly document: unknown;
  readonly problems: SchemaProblem[];
  readonly warnings: SchemaProblem[];
}
interface Placed {
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** What stands at a place, references followed; undefined, and a problem, when that is no object. */
const read = (reader: Reader, place: string): Placed | undefined => {
  let at = place;
  for (let refs = 0; refs <= MAX_REFS; refs++) {
    const value = valueAt(reader.document, at);
    if (!isObject(value)) return problem(reader, at, 'must be an object');
    if (value.$ref === undefined) return { at, value };
    const to = typeof value.$ref === 'string' ? localPointer(value.$ref) : undefined;
    if (to === undefined)
      return problem(reader, `${at}/$ref`, 'must be a place in this document (#/…); nothing is fetched');
    if (valueAt(reader.document, to) === undefined)
      return problem(reader, `${at}/$ref`, `there is nothing at ${String(value.$ref)}`);
    at = to;
  }
  return problem(reader, place, `references lead on more than ${MAX_REFS} times`);
};

const problem = (reader: Reader, at: string, message: string): undefined => {
  reader.problems.push({ at, message });
};

/** The objects under the names of a map, each with its references followed. */
const readMap = (reader: Reader, at: string): [name: string, Placed][] => {
  const value = valueAt(reader.document, at);
  if (value === undefined) return [];
  if (!isObject(value)) {
    problem(reader, at, 'must be an object');
    return [];
  }
  return Object.keys(value).flatMap((name) => {
    const placed = name.startsWith('x-') ? undefined : read(reader, at + pointerStep(name));
    return placed === undefined ? [] : [[name, placed] as [string, Placed]];
  });
};

const schemaOf = ({ at, value }: Placed): string | undefined =>
  value.schema === undefined ? undefined : `${at}/schema`;

const STYLES: Readonly<Record<Place, string>> = {
  path: 'simple',
  query: 'form',
  header: 'simple',
  cookie: 'form',
};

const readParameter = (reader: Reader, placed: Placed): Parameter | undefined => {
  const { at, value } = placed;
  const place = PLACES.find((one) => one === value.in);
  if (place === undefined) return problem(reader, `${at}/in`, `must be one of: ${PLACES.join(', ')}`);
  if (typeof value.name !== 'string' || value.name === '')
    return problem(reader, `${at}/name`, 'must be a name');
  if (value.style !== undefined && value.style !== STYLES[place])
    return problem(reader, `${at}/style`, `is not supported; leave it out, or write ${STYLES[place]}`);
  if (value.content !== undefined)
    reader.warnings.push({ at: `${at}/content`, message: 'is not checked; write a schema' });
  const isHeader = place === 'header';
  if (isHeader && FOREIGN_HEADERS.includes(value.name.toLowerCase())) return undefined;
  return {
    place,
    name: isHeader ? value.name.toLowerCase() : value.name,
    isRequired: value.required === true || place === 'path',
    isExploded: value.explode === undefined ? STYLES[place] === 'form' : value.explode === true,
    schema: schemaOf(placed),
  };
};

/** The parameters of a path item, with those of an operation over them. */
const readParameters = (reader: Reader, places: readonly string[]): Parameter[] => {
  const all = new Map<string, Parameter>();
  for (const at of places) {
    const list = valueAt(reader.document, at);
    if (list === undefined) continue;
    if (!Array.isArray(list)) {
      problem(reader, at, 'must be a list');
      continue;
    }
    for (const i of list.keys()) {
      const placed = read(reader, at + pointerStep(i));
      const parameter = placed && readParameter(reader, placed);
      if (parameter !== undefined) all.set(`${parameter.place} ${parameter.name}`, parameter);
    }
  }
  return [...all.values()];
};

/** True for JSON and for what says that it is written in JSON. */
export const isJsonType = (type: string): boolean => /^[^/]+\/(?:[^/]+\+)?json$/.test(type);

const readMedia = (reader: Reader, at: string): Media[] =>
  readMap(reader, at).map(([name, placed]) => {
    const type = (name.split(';')[0] ?? '').trim().toLowerCase();
    const schema = schemaOf(placed);
    const isChecked = isJsonType(type) || type.endsWith('/*');
    if (schema !== undefined && !isChecked)
      reader.warnings.push({ at: placed.at, message: 'only JSON is checked; this body passes as it is' });
    return { type, schema: isChecked ? schema : undefined };
  });

const readBody = (reader: Reader, operation: Placed): Operation['body'] => {
  if (operation.value.requestBody === undefined) return undefined;
  const placed = read(reader, `${operation.at}/requestBody`);
  return (
    placed && {
      isRequired: placed.value.required === true,
      media: readMedia(reader, `${placed.at}/content`),
    }
  );
};

const readResponses = (reader: Reader, { at }: Placed): ReadonlyMap<string, ResponseShape> =>
  new Map(
    readMap(reader, `${at}/responses`).map(([status, placed]) => [
      status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(),
      {
        headers: readMap(reader, `${placed.at}/headers`).map(([name, header]) => ({
          place: 'header' as const,
          name: name.toLowerCase(),
          isRequired: header.value.required === true,
          isExploded: false,
          schema: schemaOf(header),
        })),
        media: readMedia(reader, `${placed.at}/content`),
      },
    ]),
  );

const readPath = (reader: Reader, item: Placed): ReadonlyMap<string, Operation> => {
  const operations = new Map<string, Operation>();
  for (const method of METHODS) {
    if (item.value[method] === undefined) continue;
    const placed = read(reader, `${item.at}/${method}`);
    if (placed === undefined) continue;
    operations.set(method.toUpperCase(), {
      parameters: readParameters(reader, [`${item.at}/parameters`, `${placed.at}/parameters`]),
      body: readBody(reader, placed),
      responses: readResponses(reader, placed),
    });
  }
  return operations;
};

const basePathOf = (reader: Reader): string => {
  const url = valueAt(reader.document, '/servers/0/url');
  if (typeof url !== 'string') return '';
  const parsed = url.includes('{') ? null : URL.parse(url, 'http://gateway.invalid');
  if (parsed !== null) return parsed.pathname.replace(/\/$/, '');
  problem(reader, '/servers/0/url', 'cannot be read as a path; write base_path in the plugin');
  return '';
};

/** Reads the operations of an OpenAPI 3.1 document; their schemas are only pointed at. */
export const readOpenApi = (document: unknown, hasBasePath: boolean): OpenApi => {
  const reader: Reader = { document, problems: [], warnings: [] };
  const version = valueAt(document, '/openapi');
  if (typeof version !== 'string' || !/^3\.1\.\d+$/.test(version))
    problem(reader, '/openapi', 'must be a version 3.1 of OpenAPI, such as 3.1.0; convert older documents');
  const paths = new Map(
    readMap(reader, '/paths').map(([path, item]) => {
      if (!path.startsWith('/')) problem(reader, `/paths${pointerStep(path)}`, 'a path must begin with /');
      return [path, readPath(reader, item)] as const;
    }),
  );
  if (paths.size === 0 && reader.problems.length === 0)
    problem(reader, '/paths', 'there must be at least one path');
  const basePath = hasBasePath ? '' : basePathOf(reader);
  return { paths, basePath, problems: reader.problems, warnings: reader.warnings };
};
