/**
 * Builds the web console: `node tools/bundle-console.ts [FOLDER]`, by default to console/dist. Beside every file lie
 * two packed ones, so that nobody packs while people wait.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '..');
const PACKED = /\.(?:js|css|html|svg)$/;

/** Replaces the folder. Every name but index.html holds a hash of the content; nothing is inlined, for the policy forbids it. */
export const bundleConsole = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await build({
    root: join(ROOT, 'console', 'src'),
    base: '/console/',
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      ...{ outDir: folder, emptyOutDir: true, assetsInlineLimit: 0, target: 'es2023', sourcemap: false },
      ...{ modulePreload: { polyfill: false }, reportCompressedSize: false },
    },
  });
  const names = (await readdir(folder, { recursive: true })).filter((name) => PACKED.test(name));
  await Promise.all(names.map((name) => pack(join(folder, name))));
};

const pack = async (file: string): Promise<void> => {
  const bytes = await readFile(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  await Promise.all([
    writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 })),
    writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params })),
  ]);
};

if (import.meta.main) await bundleConsole(resolve(process.argv[2] ?? join(ROOT, 'console', 'dist')));
