import { expect, test } from 'vitest';
import { authVerify, busRefused, contracts, edgeMetrics, MAX_CHECKS_PER_MESSAGE } from '../src/index.ts';
import { changed, messages, namedPaths, objectPaths, onTheWire, requiredFields } from './messages.ts';

test.each(contracts)('$subject has examples, each with a name of its own', ({ examples }) => {
  expect(examples.length).toBeGreaterThan(0);
  expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length);
});

test.each(messages)(
  '$title: the example fits its schema, as written and after the wire',
  ({ schema, payload }) => {
    const written = schema.parse(payload);

    expect(onTheWire(payload)).toEqual(payload);
    expect(schema.parse(onTheWire(payload))).toEqual(written);
    expect(schema.parse(onTheWire(written))).toEqual(written);
    expect(onTheWire(written)).toMatchObject(onTheWire(payload) as object);
  },
);

const withObjects = messages.filter(({ payload }) => objectPaths(payload).length > 0);

test.each(withObjects)(
  '$title: given a newer writer, then fields nobody knows yet are no fault',
  ({ schema, payload }) => {
    for (const path of objectPaths(payload)) {
      const newer = changed(payload, path, (object) => {
        object.addedLater = 'later';
      });

      const parsed = schema.safeParse(newer);

      expect(parsed.error, `at ${path.join('.')}`).toBeUndefined();
      expect(parsed.data).toMatchObject(schema.parse(payload) as object);
    }
  },
);

const withFields = messages.filter(({ schema, payload }) => requiredFields(schema, payload).length > 0);

test.each(withFields)(
  '$title: given a required field is missing, then the error names it',
  ({ schema, payload }) => {
    for (const { path, field } of requiredFields(schema, payload)) {
      const broken = changed(payload, path, (object) => {
        delete object[field];
      });

      const { error } = schema.safeParse(broken);

      const place = [...path, field].join('.');
      expect(error, `without ${place}`).toBeDefined();
      expect(namedPaths(error?.issues ?? [])).toContain(place);
    }
  },
);

test('every message has required fields, but for raw bytes and the empty question', () => {
  const without = messages.filter((message) => !withFields.includes(message)).map(({ title }) => title);

  expect(without).toEqual([
    'config.snapshot.chunk.{part}: bytes',
    ...edgeMetrics.examples.map(({ name }) => `${edgeMetrics.subject} request: ${name}`),
    'quota.dead: no JSON at all',
    `${busRefused.subject} request: ${busRefused.examples[0]?.name}`,
  ]);
});

test.each([
  [0, false],
  [1, true],
  [MAX_CHECKS_PER_MESSAGE, true],
  [MAX_CHECKS_PER_MESSAGE + 1, false],
])('a batch of %i checks is accepted: %s', (count, isAccepted) => {
  const [example] = authVerify.examples;
  const check = example?.request.checks[0];
  const checks = Array.from({ length: count }, (_, id) => ({ ...check, id }));

  expect(authVerify.request.safeParse({ v: 1, checks }).success).toBe(isAccepted);
});

test('given one check of a batch failed, then the reply carries it beside the verdicts', () => {
  const [example] = authVerify.examples;
  const failed = { id: 2, outcome: 'error', code: 'internal', message: 'the check could not be decided' };

  const reply = authVerify.reply.parse({ v: 1, results: [...(example?.reply.results ?? []), failed] });

  expect(reply.results).toHaveLength(2);
  expect(reply.results[1]).toEqual(failed);
});

test('given a message of another version, then it is refused', () => {
  const [example] = authVerify.examples;

  expect(authVerify.request.safeParse({ ...example?.request, v: 2 }).success).toBe(false);
  expect(authVerify.reply.safeParse({ ...example?.reply, v: 2 }).success).toBe(false);
});
