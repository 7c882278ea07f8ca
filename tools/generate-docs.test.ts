import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '@sluice/contracts';
import { pluginCatalog } from '@sluice/plugins';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from '../cli/src/verbs/examples.ts';
import { generateDocs } from './generate-docs.ts';

const ROOT = join(import.meta.dirname, '..');
const docs = await generateDocs();

test.each(Object.entries(docs))(
  '%s says what the code says (`npm run docs` brings it up to date)',
  (path, text) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
  },
);

const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/ (?<!\\)\| ?/).map((cell) => cell.replace(/^\| /, '').trim()));

describe('the pages are whole', () => {
  test('every error code has a row with its status and message', () => {
    const rows = rowsOf(docs['docs/errors.md'] ?? '');

    expect(rows.map(([code]) => code)).toEqual(Object.keys(ERRORS).map((code) => `\`${code}\``));
    expect(rows.find(([code]) => code === '`GW_NO_ROUTE`')).toEqual(
      expect.arrayContaining(['404', 'client', 'no Route matched with those values']),
    );
  });

  test('every process has a section, and its settings say what they mean', () => {
    const text = docs['docs/settings.md'] ?? '';
    const services = globSync('services/*/src/settings.ts', { cwd: ROOT }).map((path) => path.split('/')[1]);

    expect(services.length).toBeGreaterThanOrEqual(5);
    for (const service of services) expect(text).toContain(`\n## ${service}\n`);
    for (const row of rowsOf(text)) expect(row[3], row[0]).toMatch(/\w{3}/);
    expect(rowsOf(text)).toContainEqual(expect.arrayContaining(['`PROXY_PORT`', 'integer', '`8000`']));
  });

  test('every plugin has a section with its priority, and its fields say what they mean', () => {
    const text = docs['docs/plugins.md'] ?? '';

    for (const { name, priority, summary } of pluginCatalog.all())
      expect(text).toContain(`## ${name}\n\n${summary} Priority ${priority}.`);
    for (const row of rowsOf(text)) expect(row[3], row[0]).toMatch(/\w{3}/);
    expect(rowsOf(text)).toContainEqual(expect.arrayContaining(['`redis.timeout`', 'integer', '`2000`']));
  });

  test('every metric says what it means and has its labels, by constants and types of its file, too', () => {
    const rows = rowsOf(docs['docs/metrics.md'] ?? '');

    for (const row of rows) expect(row[3], row[0]).toMatch(/\w{3}/);
    expect(rows).toContainEqual(expect.arrayContaining(['`kong_latency`', '`service`, `route`, `type`']));
    expect(rows).toContainEqual(expect.arrayContaining(['`sluice_tenant_requests_total`', 'counter']));
  });

  test('every verb has a section with its usage, options and examples', () => {
    const text = docs['docs/cli.md'] ?? '';

    for (const verb of Object.keys(EXAMPLES).filter((name) => name !== 'token'))
      expect(text).toContain(`\n## ${verb}\n`);
    expect(text).toMatch(/\| `--expect <version>` +\| only if this version is in force, as r12 /);
  });
});
