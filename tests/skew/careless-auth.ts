import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../tools/bundle.ts';
import { ROOT } from '../bundles/dockerfile.ts';
import { linkModules } from './released-bundles.ts';

const CONTRACT = join('libs', 'contracts', 'src', 'auth', 'verify.ts');
const FIELD = /(\n +)scheme: z\.enum/;

/**
 * Bundles today's auth with one careless change: it wants a field that no edge sends. Gives the AsyncAPI document of
 * its contracts.
 */
export const bundleCarelessAuth = async (into: string): Promise<unknown> => {
  const tree = mkdtempSync(join(tmpdir(), 'sluice-careless-'));
  try {
    for (const group of ['libs', 'services', 'package.json'])
      cpSync(join(ROOT, group), join(tree, group), {
        recursive: true,
        filter: (path) => !/\/(node_modules|test|dist|bench)$/.test(path),
      });
    linkModules(tree);
    const contract = join(tree, CONTRACT);
    const text = readFileSync(contract, 'utf8');
    if (!FIELD.test(text)) throw new Error(`${CONTRACT} has no field "scheme" to put another one beside`);
    writeFileSync(contract, text.replace(FIELD, '$1realm: z.string(),$&'));
    await bundle(join(tree, 'services', 'auth', 'src', 'main.ts'), join(into, 'auth'));
    return JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', TELL], { cwd: tree, encoding: 'utf8' }),
    );
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
};

const TELL = `
  import { contracts, toAsyncApi } from './libs/contracts/src/index.ts';
  process.stdout.write(JSON.stringify(toAsyncApi(contracts)));
`;
