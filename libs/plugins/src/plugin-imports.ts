/**
 * What a user's plugin imports. `@sluice/plugins` and `zod` are this process's own wherever the folder lies: it
 * needs no node_modules, works beside a bundle, and a schema or refusal it makes is of the classes we know.
 */
import { registerHooks } from 'node:module';
import * as zod from 'zod';
import * as api from './user-api.ts';

const SCHEME = 'sluice-plugin:';
const MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '@sluice/plugins': api,
  '@sluice/contracts': { GatewayError: api.GatewayError },
  zod,
};
const SHARED = Symbol.for('sluice.plugin-modules');

const folders = new Set<string>();
let isRegistered = false;

const isUsers = (parentUrl: string | undefined): boolean =>
  parentUrl !== undefined && [...folders].some((folder) => parentUrl.startsWith(folder));

const sourceOf = (name: string): string => {
  const from = `globalThis[Symbol.for('sluice.plugin-modules')][${JSON.stringify(name)}]`;
  // `export { … as … }` takes every name: zod has a `catch`.
  const lines = Object.keys(MODULES[name] ?? {}).map((key, index) => {
    const quoted = JSON.stringify(key);
    return `const e${index} = ${from}[${quoted}]; export { e${index} as ${quoted} };`;
  });
  return lines.join('\n');
};

/** From now on files under the folder (a `file:` URL that ends in `/`) get our modules. */
export const shareModulesWith = (folderUrl: string): void => {
  folders.add(folderUrl);
  if (isRegistered) return;
  isRegistered = true;
  Object.assign(globalThis, { [SHARED]: MODULES });
  registerHooks({
    resolve: (specifier, context, next) =>
      Object.hasOwn(MODULES, specifier) && isUsers(context.parentURL)
        ? { url: `${SCHEME}${specifier}`, format: 'module', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url.startsWith(SCHEME)
        ? { format: 'module', source: sourceOf(url.slice(SCHEME.length)), shortCircuit: true }
        : next(url, context),
  });
};
