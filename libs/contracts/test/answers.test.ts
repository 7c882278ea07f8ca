import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { configChanges, exampleChanges, exampleReport, simulationReport } from '../src/index.ts';
import { changed, namedPaths, objectPaths, requiredFields } from './messages.ts';

/**
 * Answers of the Admin API as an earlier release gave them. A file here is never changed, only added to: a command
 * line or a console of now reads what a registry of then answers, and the reverse.
 */
const FOLDER = join(import.meta.dirname, 'golden-answers');
const SHAPES: Readonly<Record<string, { readonly schema: z.ZodType; readonly example: unknown }>> = {
  'config-changes': { schema: configChanges, example: exampleChanges },
  'simulation-report': { schema: simulationReport, example: exampleReport },
};

interface Golden {
  readonly answers: readonly { readonly name: string; readonly answer: object }[];
}
const golden = Object.keys(SHAPES).flatMap((shape) => {
  const { answers }: Golden = JSON.parse(readFileSync(join(FOLDER, `${shape}.json`), 'utf8'));
  return answers.map(({ name, answer }) => ({ shape, name, answer }));
});
const schemaOf = (shape: string): z.ZodType => SHAPES[shape]?.schema as z.ZodType;

test('every shape has a file, and every file a shape', () => {
  const files = globSync('*.json', { cwd: FOLDER }).map((file) => basename(file, '.json'));
  expect(files.sort()).toEqual(Object.keys(SHAPES).sort());
});

test.each(golden)('given $shape of an earlier release ($name), then nothing of it is lost', (one) => {
  const { error, data } = schemaOf(one.shape).safeParse(one.answer);
  expect(error).toBeUndefined();
  expect(data).toEqual(one.answer);
});

test.each(golden)(
  'given a later release adds fields to $shape ($name), then it is read all the same',
  (one) => {
    const more = objectPaths(one.answer).reduce<unknown>(
      (answer, path) => changed(answer, path, (object) => Object.assign(object, { addedLater: 'x' })),
      one.answer,
    );
    expect(schemaOf(one.shape).safeParse(more).error).toBeUndefined();
  },
);

test.each(Object.entries(SHAPES))(
  '%s without a required field is refused by its name',
  (_, { schema, example }) => {
    const fields = requiredFields(schema, example);
    expect(fields.length).toBeGreaterThan(3);
    for (const { path, field } of fields) {
      const broken = changed(example, path, (object) => {
        delete object[field];
      });
      expect(namedPaths(schema.safeParse(broken).error?.issues ?? [])).toContain([...path, field].join('.'));
    }
  },
);
