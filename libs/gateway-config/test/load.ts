import { type ConfigError, type ConfigState, type LoadOptions, loadConfig } from '../src/index.ts';
import { catalog } from './catalog.ts';

export const NOW = 1_700_000_000;

type Document = Readonly<Record<string, unknown>>;

const load = (document: Document, options: Partial<LoadOptions>) =>
  loadConfig({ document: { _format_version: '3.0', ...document } }, catalog, { now: NOW, ...options });

/** The state of a document that must be accepted. */
export const accepted = (document: Document, options: Partial<LoadOptions> = {}): ConfigState => {
  const loaded = load(document, options);
  if (!loaded.ok) throw loaded.error;
  return loaded.state;
};

/** The error of a document that must be refused. */
export const refused = (document: Document, options: Partial<LoadOptions> = {}): ConfigError => {
  const loaded = load(document, options);
  if (loaded.ok) throw new Error('the document was accepted');
  return loaded.error;
};

/** The only entity of a kind. */
export const only = (
  state: ConfigState,
  kind: Parameters<ConfigState['list']>[0],
): Record<string, unknown> => {
  const [first, ...rest] = [...state.list(kind)];
  if (first === undefined || rest.length > 0) throw new Error(`expected one of ${kind}`);
  return { ...first };
};
