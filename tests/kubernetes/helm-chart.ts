import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { Templates } from './go-template/evaluate.ts';
import { isMap, type Value } from './go-template/functions.ts';
import { parseTemplate } from './go-template/parse.ts';
import { asManifests, type Manifest } from './rendered.ts';

/*
 * The chart, rendered without Helm: what of Go's templates it uses is small. That this is what Helm renders is shown by
 * golden/, which Helm itself wrote (`npm run helm:golden`).
 */
export const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'sluice');
/** As golden/ was written. */
export const RELEASE = { name: 'blue', namespace: 'apps' };

const read = (path: string): string => readFileSync(join(CHART, path), 'utf8');
const readYaml = (path: string): Value => parse(read(path), { version: '1.1' }) as Value;

const merged = (base: Value, over: Value): Value => {
  if (!isMap(base) || !isMap(over)) return over;
  const both = { ...base };
  for (const [name, value] of Object.entries(over))
    if (value === null) delete both[name];
    else both[name] = name in base ? merged(base[name], value) : value;
  return both;
};

/** values.yaml with others over it, in their order. */
export const valuesOf = (...others: readonly Value[]): Value =>
  others.reduce(merged, readYaml('values.yaml'));

const accepts = new Ajv({ allErrors: true, strict: true, strictTypes: false }).compile(
  JSON.parse(read('values.schema.json')),
);

/** What values.schema.json says against values, one line for each mistake. */
export const mistakesIn = (values: Value): readonly string[] => {
  if (accepts(values)) return [];
  return (accepts.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath.slice(1).replaceAll('/', '.')} ${message} ${Object.values(params).join(' ')}`.trim(),
  );
};

const ChartFile = z.looseObject({ name: z.string(), version: z.string(), appVersion: z.string() });

/** In the place of what is made from the contracts: with every new subject golden/ would want Helm anew. */
export const STUBS: Readonly<Record<string, string>> = {
  'files/users.conf': '# the users of the bus\n',
  'files/leaf-users.conf': '# the user of a leaf\n',
};

/** The text of every template, as `helm template` would print it. */
const texts = (values: Value, stubs: typeof STUBS = {}): ReadonlyMap<string, string> => {
  const paths = globSync('files/*', { cwd: CHART });
  const files = new Map(paths.map((path) => [path, stubs[path] ?? read(path)]));
  const templates = new Templates(files);
  const parsed = globSync('templates/*', { cwd: CHART })
    .sort()
    .map((path) => [path, parsedFile(path)] as const);
  for (const [, nodes] of parsed) templates.define(nodes);
  const { name, version, appVersion } = ChartFile.parse(readYaml('Chart.yaml'));
  const dot = {
    Values: values,
    Release: { Name: RELEASE.name, Namespace: RELEASE.namespace, Service: 'Helm' },
    Chart: { Name: name, Version: version, AppVersion: appVersion },
  };
  return new Map(
    parsed.map(([path, nodes]) => {
      try {
        return [path, templates.render(nodes, dot)] as const;
      } catch (error) {
        throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
};

const parsedFile = (path: string) => {
  try {
    return parseTemplate(read(path));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
};

/** What would be installed with these values. @throws Error that names the template, or the field. */
export const renderChart = (values: Value, stubs?: typeof STUBS): readonly Manifest[] => {
  const manifests = [...texts(values, stubs)].filter(([path]) => path.endsWith('.yaml'));
  return asManifests('chart', manifests.map(([, text]) => text).join('\n---\n'));
};

/** What is said after an installation. */
export const notes = (values: Value): string => texts(values).get('templates/NOTES.txt') ?? '';
