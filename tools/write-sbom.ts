import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a process is made of, as CycloneDX: `npm run sbom` writes it to dist/sbom.cdx.json. */
const ROOT = join(import.meta.dirname, '..');

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly unknown[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

export interface Sbom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { component: { name: string; version: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const DEVELOPMENT = 'cdx:npm:package:development';

/**
 * From what is installed, without tools and tests. npm's own `--omit=dev` also leaves out packages that a process needs
 * and a tool as well (`@opentelemetry/api`), and npm names the product after its folder: both are done here.
 */
export const makeSbom = (): Sbom => {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const text = execFileSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const all = JSON.parse(text) as Sbom;
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string };
  const isTool = ({ properties = [] }: Component) => properties.some((one) => one.name === DEVELOPMENT);
  const tools = new Set(all.components.filter(isTool).map((component) => component['bom-ref']));
  return {
    ...all,
    metadata: { ...all.metadata, component: { ...all.metadata.component, name } },
    components: all.components.filter((component) => !isTool(component)),
    dependencies: all.dependencies
      .filter(({ ref }) => !tools.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => !tools.has(one)) })),
  };
};

if (import.meta.main) {
  const file = join(ROOT, 'dist', 'sbom.cdx.json');
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(makeSbom(), null, 2)}\n`);
  process.stdout.write(`${file}\n`);
}
