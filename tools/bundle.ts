/**
 * Bundles one process as it is in its image: `node tools/bundle.ts [MAIN [FOLDER]]`, by default src/main.ts of the
 * folder it is run in, to dist.
 */
import { rm, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'rolldown';

const GRPC_EXPORTER = '@opentelemetry/otlp-grpc-exporter-base';
/**
 * Its form for ES modules loads the gRPC client by a `require` of its own making, which no bundler sees: in an image
 * spans sent by gRPC would be lost without a word.
 */
const GRPC_EXPORTER_CJS = createRequire(import.meta.url).resolve(GRPC_EXPORTER);

const BUILTIN = '\0builtin:';
const ROLLDOWN_RUNTIME = '\0rolldown/runtime.js';
/**
 * For an `import` Node reads every export of its own module, and some of them load what nobody here asked for
 * (node:http all of its fetch): 40 ms of each start. Read one by one, only those that are used are.
 */
const builtinsByUse: Plugin = {
  name: 'builtins-by-use',
  // The bundler's own runtime comes before all other modules: what it imports can stand in none of them.
  resolveId: (id, importer, { kind }) =>
    kind === 'import-statement' && isBuiltin(id) && importer !== ROLLDOWN_RUNTIME
      ? { id: `${BUILTIN}${id}` }
      : undefined,
  load: (id) => (id.startsWith(BUILTIN) ? readingOf(id.slice(BUILTIN.length)) : undefined),
};

const readingOf = (builtin: string): string => {
  const names = Object.keys(process.getBuiltinModule(builtin) ?? {}).filter((name) => name !== 'default');
  return [
    `const builtin = process.getBuiltinModule('${builtin}');`,
    'const read = (name) => builtin[name];',
    'export default builtin;',
    ...names.map(
      (name) =>
        `const builtin_${name} = /* @__PURE__ */ read('${name}'); export { builtin_${name} as ${name} };`,
    ),
  ].join('\n');
};

/**
 * Writes main.js, its chunks with their source maps, and a package.json that says they are modules. Half the size of
 * the sources and as quick to start as it gets: no white space, no comments; names stay as they are written, for what
 * people read in stack traces and profiles is this.
 */
export const bundle = async (main: string, folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true }); // names of chunks hold hashes: old ones would stay
  await build({
    input: main,
    platform: 'node',
    plugins: [builtinsByUse],
    resolve: { alias: { [GRPC_EXPORTER]: GRPC_EXPORTER_CJS } },
    output: {
      ...{ format: 'esm', dir: folder, sourcemap: true },
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    },
    logLevel: 'silent',
  });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
};

if (import.meta.main) {
  const [main = join('src', 'main.ts'), folder = 'dist'] = process.argv.slice(2);
  await bundle(resolve(main), resolve(folder));
}
