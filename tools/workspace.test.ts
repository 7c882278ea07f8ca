import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly exports?: unknown;
  readonly sideEffects?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..');
const SCOPE = '@sluice/';

const find = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: ROOT, exclude: ['**/node_modules/**', '**/dist/**'] }).sort();
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifestsOf = (pattern: string): Manifest[] => find(pattern).map((path) => JSON.parse(read(path)));

const services = manifestsOf('services/*/package.json');
const libs = manifestsOf('libs/*/package.json');
const all = [...services, ...libs, ...manifestsOf('cli/package.json'), ...manifestsOf('package.json')];

const namesOf = (dependencies: Manifest['dependencies'] = {}): string[] => Object.keys(dependencies);
const ours = (manifest: Manifest | undefined): string[] =>
  namesOf(manifest?.dependencies).filter((name) => name.startsWith(SCOPE));

/** Specifiers of every static, dynamic and re-exporting import of a file. */
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => specifier);

const sourceFiles = find(
  '{services,libs}/*/{src,test}/**/*.ts',
  'cli/{src,test}/**/*.ts',
  'console/src/**/*.{ts,tsx}',
);
const homeOf = (file: string): string =>
  `${file
    .split('/')
    .slice(0, /^(cli|console)\//.test(file) ? 1 : 2)
    .join('/')}/`;

/** Which of our packages a package may need at run time (DESIGN.md section 2). */
const MAY_NEED: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  'gateway-config': ['contracts'],
  plugins: ['contracts', 'gateway-config'],
  routing: ['contracts', 'gateway-config', 'plugins'],
  'service-kit': ['contracts'],
  'config-log': ['contracts', 'gateway-config', 'service-kit'],
  testkit: ['contracts', 'service-kit'],
};

test('a service is nobody’s dependency and exports nothing', () => {
  const serviceNames = services.map(({ name }) => name);
  for (const service of services) expect(service.exports, service.name).toBeUndefined();
  for (const { name, dependencies, devDependencies } of all) {
    const needed = [...namesOf(dependencies), ...namesOf(devDependencies)];
    expect(
      needed.filter((dependency) => serviceNames.includes(dependency)),
      name,
    ).toEqual([]);
  }
});

test('contracts depends on zod alone', () => {
  const contracts = libs.find(({ name }) => name === `${SCOPE}contracts`);
  expect(namesOf(contracts?.dependencies)).toEqual(['zod']);
});

test.each(Object.entries(MAY_NEED))('%s needs no room it may not enter', (name, allowed) => {
  const lib = libs.find((manifest) => manifest.name === SCOPE + name);
  expect(lib, `libs/${name}`).toBeDefined();
  expect(ours(lib).filter((needed) => !allowed.includes(needed.slice(SCOPE.length)))).toEqual([]);
});

test('every library has one door', () => {
  for (const { name, exports } of libs) expect(exports, name).toEqual({ '.': './src/index.ts' });
});

test('no module of a library acts by being imported: a bundle leaves out those of which nothing is used', () => {
  for (const { name, sideEffects } of libs.filter((lib) => lib.name !== `${SCOPE}testkit`))
    expect(sideEffects, name).toBe(false);
  for (const file of sourceFiles.filter((path) => /^libs\/(?!testkit\/)[^/]+\/src\//.test(path)))
    expect(read(file), file).not.toMatch(/^import '/m);
});

test('every third-party dependency has one exact version in the whole workspace', () => {
  const versions = new Map<string, Set<string>>();
  for (const { dependencies, devDependencies } of all)
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      if (!name.startsWith(SCOPE)) versions.set(name, (versions.get(name) ?? new Set()).add(version));
  expect(versions.size).toBeGreaterThan(0);
  for (const [name, seen] of versions)
    expect([...seen], name).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
});

test('no relative import leaves its package', () => {
  // The command and what runs before the install look for the servers in the same way.
  const allowed = new Set([join('tools', 'find-servers.mjs')]);
  expect(sourceFiles.length).toBeGreaterThan(0);
  for (const file of sourceFiles)
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = join(dirname(file), specifier);
      const isInside = target.startsWith(homeOf(file)) || allowed.has(target);
      expect(isInside, `${file} imports ${specifier}`).toBe(true);
    }
});

test('NATS and Redis are reached through service-kit alone', () => {
  const doors = /^(nats|ioredis|redis|@nats-io\/.+)$/;
  const outside = sourceFiles.filter(
    (file) => !file.startsWith('libs/service-kit/') && !file.includes('/test/'),
  );
  for (const file of outside)
    expect(
      importsOf(file).filter((name) => doors.test(name)),
      file,
    ).toEqual([]);
});

test('nobody’s source imports the testkit', () => {
  for (const file of sourceFiles.filter((path) => path.includes('/src/')))
    expect(importsOf(file), file).not.toContain(`${SCOPE}testkit`);
});

test('a main.ts only wires: at most 60 lines', () => {
  for (const file of find('services/*/src/main.ts', 'cli/src/**/main.ts'))
    expect(read(file).trimEnd().split('\n').length, file).toBeLessThanOrEqual(60);
});

test('no folder has a name that says nothing', () => {
  const empty = /(^|\/)(common|shared|utils?|helpers?|core|types|misc)\//;
  expect(sourceFiles.filter((file) => empty.test(file))).toEqual([]);
});

test('a service tells the version of its manifest, which a release sets', () => {
  for (const file of sourceFiles.filter((path) => /^services\/[^/]+\/src\//.test(path)))
    expect(/createMetrics\([^)]*\d/.test(read(file)), file).toBe(false);
  for (const service of find('services/*/src')) {
    const files = find(`${service}/**/*.ts`).map(read);
    expect(
      files.some((text) => text.includes("from '../package.json' with { type: 'json' }")),
      service,
    ).toBe(true);
  }
});
