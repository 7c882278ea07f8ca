import type { PluginCatalog } from './catalog.ts';
import { checkDocument, MAX_VIOLATIONS } from './check-document.ts';
import { censoredSecrets } from './errors/censored.ts';
import { ConfigError, unreadable } from './errors/config-error.ts';
import type { Draft } from './errors/violation.ts';
import { parseConfigText, refuseHostile } from './parse.ts';
import { isRecord, type Locate, showPath } from './path.ts';
import { resolveDrafts } from './resolve.ts';
import { requireSchema } from './schema/entities.ts';
import { generateSecrets, transformSecrets } from './secrets.ts';
import { ConfigState, sameButTimes } from './state.ts';
import { warningsOf } from './warnings.ts';

/** A configuration as text (JSON or YAML) or as the body of a request that was parsed already. */
export type ConfigInput = { readonly text: string } | { readonly document: unknown };

export interface LoadOptions {
  /** Unix seconds; the time of entities that are new or changed. */
  readonly now: number;
  /** The state before: unchanged entities keep their times, generated keys stay. */
  readonly previous?: ConfigState;
  /** Settings of the process, for warnings (REDIS_URL). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Places in the source of a document that was not parsed here (see `buildConfig`). */
  readonly locate?: Locate;
}

export type LoadedConfig =
  | { readonly ok: true; readonly state: ConfigState; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: ConfigError };

/**
 * Reads, checks and resolves a whole declarative configuration. All or nothing: either a complete state or every
 * reason why not (references are looked at when the schemas passed, as in Kong).
 */
export const loadConfig = (
  input: ConfigInput,
  catalog: PluginCatalog,
  options: LoadOptions,
): LoadedConfig => {
  const source = readInput(input, options.locate);
  if (!source.ok) return source;
  const { document, locate } = source;
  const { drafts, violations, transform } = checkDocument(document, catalog);
  const refused =
    violations.length > 0
      ? violations
      : [...resolveDrafts(drafts), ...censoredSecrets(drafts)].slice(0, MAX_VIOLATIONS);
  if (refused.length > 0) return { ok: false, error: new ConfigError(refused, document, locate) };

  const state = new ConfigState();
  for (const draft of drafts) putEntity(state, draft, transform, options);
  return { ok: true, state, warnings: warningsOf(state, drafts, catalog, options.environment ?? {}) };
};

type Source =
  | { readonly ok: true; readonly document: Readonly<Record<string, unknown>>; readonly locate: Locate }
  | { readonly ok: false; readonly error: ConfigError };

const readInput = (input: ConfigInput, locate: Locate = () => undefined): Source => {
  if ('text' in input) {
    const parsed = parseConfigText(input.text);
    if (!parsed.ok) return { ok: false, error: unreadable(parsed.message, parsed.position) };
    return { ok: true, document: parsed.value, locate: parsed.locate };
  }
  const { document } = input;
  if (!isRecord(document)) return { ok: false, error: unreadable('expected an object') };
  const problem = refuseHostile(document);
  if (problem !== undefined)
    return { ok: false, error: unreadable(`${problem.message} (in ${showPath(problem.path.slice(0, 8))})`) };
  return { ok: true, document, locate };
};

/** What did not change is put as the state before has it, times and all. */
const putEntity = (
  state: ConfigState,
  { kind, entity }: Draft,
  transform: boolean,
  { previous, now }: LoadOptions,
): void => {
  generateSecrets(kind, entity, previous);
  if (transform) transformSecrets(kind, entity);
  const id = String(entity.id);
  const before = previous?.get(kind, id) as Record<string, unknown> | undefined;
  if (previous !== undefined && before !== undefined && sameButTimes(before, entity)) {
    state.putFrom(previous, kind, id);
    return;
  }
  entity.created_at ??= before?.created_at ?? now;
  entity.updated_at ??= now;
  if (requireSchema(kind).hidden?.includes('updated_at')) entity.updated_at = null;
  state.put(kind, id, entity);
};
