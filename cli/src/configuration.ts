import { globSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { BuiltConfig, ConfigFile, ConfigProblem } from '@sluice/gateway-config';
import type { Surroundings } from './surroundings.ts';

/** A declarative configuration, ready to be sent. */
export interface Configuration {
  /** One YAML or JSON document. */
  readonly text: string;
  /** What to call it before a person. */
  readonly label: string;
}

/** Problems are lines of `file:line:col  message`. */
export type ConfigurationRead =
  | { ok: true; configuration: Configuration }
  | { ok: false; problems: readonly string[] };

export type ConfigurationChecked =
  | { ok: true; label: string; warnings: readonly string[] }
  | { ok: false; problems: readonly string[] };

/** Written by `build`, never read as a source. */
export const GENERATED = 'kong.yml';

export const EMPTY_CONFIGURATION: Configuration = { text: '_format_version: "3.0"\n', label: 'empty' };

const labelOf = ({ cwd }: Surroundings, path: string): string => {
  const fromHere = relative(cwd, path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
};

/** A user's own plugins: what `--plugins` says, or PLUGINS_DIR, or `plugins/` where one stands; `none` is none. */
export const pluginsDirOf = ({ cwd, env }: Surroundings, given: string | undefined): string | undefined => {
  const named = given ?? (env.PLUGINS_DIR || undefined);
  if (named === 'none') return undefined;
  if (named !== undefined) return resolve(cwd, named);
  const beside = join(cwd, 'plugins');
  return isFolder(beside) ? beside : undefined;
};

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const sourcesIn = (dir: string): ConfigFile[] =>
  globSync('**/*.{yml,yaml}', { cwd: dir })
    .filter((path) => path !== GENERATED)
    .map((path) => ({ path, text: readFileSync(join(dir, path), 'utf8') }));

/** The parser is loaded by those who need it: it would double the start of the others. */
const buildFolder = async (dir: string): Promise<BuiltConfig> =>
  (await import('@sluice/gateway-config')).buildConfig(sourcesIn(dir));

type FileText = { ok: true; text: string } | { ok: false; problems: string[] };

const readText = (file: string, label: string): FileText => {
  try {
    return { ok: true, text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { ok: false, problems: [`${label} cannot be read: ${(error as Error).message}`] };
  }
};

/** A file as it is, or a folder built in memory. */
export const readConfiguration = async (source: string, io: Surroundings): Promise<ConfigurationRead> => {
  const label = labelOf(io, source);
  if (isFolder(source)) {
    const built = await buildFolder(source);
    if (built.ok) return { ok: true, configuration: { text: built.yaml, label } };
    return { ok: false, problems: built.problems.map((problem) => `${label}/${problem}`) };
  }
  const read = readText(source, label);
  return read.ok ? { ok: true, configuration: { text: read.text, label } } : read;
};

/** `config/routes/agents.yml:14:7  pathz: unknown field (did you mean "paths"?)` */
const describe = (label: string, problem: ConfigProblem): string => {
  const { file, line, column, path, message, suggestion } = problem;
  const place = [file === undefined ? label : `${label}/${file}`, line, column].filter(
    (part) => part !== null,
  );
  const field = path.replace(/^\w+\[\d+\]\.?/, ''); // the place says which entity it is
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  return `${place.join(':')}  ${field === '' ? '' : `${field}: `}${message}${hint}`;
};

/** Reads a folder or file as the registry would, and says where it is wrong. */
export const checkConfiguration = async (
  source: string,
  io: Surroundings,
  pluginsDir: string | undefined,
): Promise<ConfigurationChecked> => {
  const { loadConfig } = await import('@sluice/gateway-config');
  const { PluginFolder } = await import('@sluice/plugins');
  const plugins = await PluginFolder.open(pluginsDir);
  const unusable = plugins.problems.map(
    ({ file, problem }) => `${labelOf(io, join(pluginsDir ?? '', file))}  ${problem}`,
  );
  const label = labelOf(io, source);
  const options = { now: Math.floor(Date.now() / 1000), environment: io.env };
  const load = async () => {
    if (!isFolder(source)) {
      const read = readText(source, label);
      return read.ok ? loadConfig({ text: read.text }, plugins, options) : read;
    }
    const built = await buildFolder(source);
    if (!built.ok) return { ok: false, problems: built.problems.map((one) => `${label}/${one}`) } as const;
    const { document, locate } = built;
    return loadConfig({ document }, plugins, { ...options, locate });
  };
  const loaded = await load();
  if (loaded.ok) return { ok: true, label, warnings: [...unusable, ...loaded.warnings] };
  if ('problems' in loaded) return loaded;
  const problems = loaded.error.problems.map((problem) => describe(label, problem));
  return { ok: false, problems: [...unusable, ...problems] };
};

/** What the registry refused, in our words with places where we find the same; else in its own. */
export const explainRefusal = async (
  source: string | undefined,
  message: string,
  io: Surroundings,
  pluginsDir: string | undefined,
): Promise<string> => {
  const checked = source === undefined ? undefined : await checkConfiguration(source, io, pluginsDir);
  return checked === undefined || checked.ok ? message : checked.problems.join('\n  ');
};
