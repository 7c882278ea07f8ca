import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kind, kindNames } from '@sluice/contracts';
import { checkEntity, schemaOf } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { nameOfOne } from '../../src/openapi/entity-schemas.ts';
import { at, document, faultsOf, operations } from './described.ts';

type Json = Readonly<Record<string, unknown>>;
// Published by the OpenAPI Initiative under the Apache License 2.0: spec.openapis.org/oas/3.1/schema/2022-10-07.
const TEXT = readFileSync(join(import.meta.dirname, 'openapi-3.1.schema.json'), 'utf8');
// Ajv takes the dynamic reference for one to the document's own root; it is meant for other dialects than ours.
const SCHEMA: Json = JSON.parse(TEXT.replaceAll('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"'));

const isOpenApi = (() => {
  const ajv = new Ajv2020({ strict: false });
  ajvFormats.default(ajv);
  ajv.addFormat('media-range', true);
  return ajv.compile(SCHEMA);
})();

/** Everything in a document with the steps that lead there. */
const walk = function* (value: unknown, steps: readonly string[] = []): Generator<[Json, readonly string[]]> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield [value as Json, steps];
  for (const [key, inside] of Object.entries(value)) yield* walk(inside, [...steps, key]);
};

describe('the description of the Admin API', () => {
  test('is a document of OpenAPI 3.1, by the schema of its authors', () => {
    isOpenApi(document);
    expect(isOpenApi.errors ?? []).toEqual([]);
  });

  test('given it is not, then that is seen', () => {
    const get = { ...document.paths['/services']?.get, responses: 7 };
    expect(isOpenApi({ ...document, paths: { '/services': { get } } })).toBe(false);
  });

  test('holds schemas of JSON Schema 2020-12 only, and no reference that leads nowhere', () => {
    const references = [...walk(document)].flatMap(([{ $ref }]) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(500);
    for (const reference of new Set(references))
      expect(at(...reference.slice(2).split('/')), reference).toBeDefined();
    const ajv = new Ajv2020({ strict: false });
    for (const [name, schema] of Object.entries(document.components.schemas ?? {}))
      expect(ajv.validateSchema(schema), `${name}: ${JSON.stringify(ajv.errors)}`).toBe(true);
  });

  test('names every operation once, under a tag that is explained', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const tags = document.tags.map(({ name }) => name);
    expect([...new Set(operations.flatMap(({ operation }) => operation.tags))].sort()).toEqual(
      tags.toSorted(),
    );
  });

  test('gives examples that fit their schemas', () => {
    const withExample = [...walk(document)].filter(([one]) => Object.hasOwn(one, 'example'));
    expect(withExample.length).toBeGreaterThan(60);
    for (const [{ example }, steps] of withExample)
      expect(faultsOf(example, ...steps, 'schema'), steps.join(' ')).toEqual([]);
  });
});

describe('entities', () => {
  const kinds = kindNames.filter((kind) => schemaOf(kind) !== undefined);
  const exampleOf = (kind: Kind): Json | undefined =>
    at(
      'components',
      'requestBodies',
      `New${nameOfOne(kind)}`,
      'content',
      'application/json',
      'example',
    ) as Json;

  test('every kind has an example but those that hold PEM or a key', () => {
    const without = kinds.filter((kind) => exampleOf(kind) === undefined);
    expect(without.sort()).toEqual(['ca_certificates', 'certificates', 'keys']);
  });

  test.each(kinds.filter((kind) => exampleOf(kind) !== undefined))(
    'the example of %s can be created',
    (kind) => {
      const owner = /_credentials$|^jwt_secrets$|^acls$/.test(kind)
        ? { consumer: { id: crypto.randomUUID() } }
        : {};
      const parent = kind === 'targets' ? { upstream: { id: crypto.randomUUID() } } : owner;
      expect(checkEntity(kind, { ...exampleOf(kind), ...parent }, pluginCatalog).findings).toEqual([]);
    },
  );

  test('what the checker refuses of a field, the schema refuses, too', () => {
    const wrong: readonly [Kind, Json, string][] = [
      ['services', { host: 'a.test', port: 70_000 }, '/port'],
      ['services', { host: 'a.test', protocol: 'gopher' }, '/protocol'],
      ['services', { host: 'a.test', nope: 1 }, ''],
      ['routes', { paths: '/x' }, '/paths'],
      ['plugins', { name: 'rate-limiting', config: { minute: 'many' } }, '/config/minute'],
      ['plugins', { name: 'cors', config: { nope: true } }, '/config'],
      ['upstreams', { name: 'u', healthchecks: { active: { timeout: -1 } } }, '/healthchecks/active/timeout'],
    ];
    for (const [kind, entity, place] of wrong) {
      expect(checkEntity(kind, entity, pluginCatalog).findings, JSON.stringify(entity)).not.toEqual([]);
      const faults = faultsOf(entity, 'components', 'schemas', `${nameOfOne(kind)}Fields`);
      expect(faults.map((fault) => fault.split(' ')[0])).toContain(place);
    }
  });
});
