import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALLOWED, ALLOWED_FOR_TOOLS, licences } from './licences.ts';
import { makeSbom } from './write-sbom.ts';

const ROOT = join(import.meta.dirname, '..');

test('every package has a licence that is allowed for what it is used for', () => {
  const all = licences();
  expect(all.length).toBeGreaterThan(100);
  for (const { name, version, licence, isShipped } of all)
    expect(isShipped ? ALLOWED : ALLOWED_FOR_TOOLS, `${name} ${version}`).toContain(licence);
});

test('the bill of materials names what the processes use, with licences, and no tool', () => {
  const { bomFormat, specVersion, metadata, components, dependencies } = makeSbom();

  expect({ bomFormat, product: metadata.component.name }).toEqual({
    bomFormat: 'CycloneDX',
    product: 'sluice',
  });
  expect(Number(specVersion)).toBeGreaterThanOrEqual(1.5);
  const names = components.map(({ name }) => name);
  const needed = globSync('{libs,services}/*/package.json', { cwd: ROOT, exclude: ['libs/testkit/**'] })
    .map((path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as { dependencies?: object })
    .flatMap((manifest) => Object.keys(manifest.dependencies ?? {}));
  expect(needed).toContain('nats');
  for (const name of needed.filter((one) => !one.startsWith('@sluice/'))) expect(names, name).toContain(name);
  for (const tool of ['vitest', 'typescript', 'rolldown', '@biomejs/biome'])
    expect(names).not.toContain(tool);
  const others = components.filter(({ purl }) => !purl.includes('%40sluice/') && !purl.includes('@sluice/'));
  for (const { name, purl, licenses = [] } of others) {
    expect(purl, name).toMatch(/^pkg:npm\/.+@\d/);
    expect(licenses.length, name).toBeGreaterThan(0);
  }
  expect(dependencies.length).toBeGreaterThanOrEqual(components.length);
});
