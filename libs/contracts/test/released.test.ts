import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  authVerify,
  type Contract,
  compareContracts,
  contracts,
  describeBreak,
  toAsyncApi,
} from '../src/index.ts';

const released: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'released', 'asyncapi.json'), 'utf8'),
);

test('processes of the last release and of now understand each other', () => {
  expect(compareContracts(released, toAsyncApi(contracts)).map(describeBreak)).toEqual([]);
});

/** All contracts, one of them otherwise. */
const withVerify = (changed: Partial<typeof authVerify>): readonly Contract[] =>
  contracts.map((one) => (one.subject === authVerify.subject ? ({ ...one, ...changed } as Contract) : one));

const breaksOf = (changed: readonly Contract[]): string[] =>
  compareContracts(toAsyncApi(contracts), toAsyncApi(changed)).map(describeBreak);

const checkWith = (field: z.ZodRawShape) =>
  z.object({
    v: z.literal(1),
    checks: z
      .array(authVerify.check.extend({ id: z.int().nonnegative(), ...field }))
      .min(1)
      .max(64),
  });

test('given a required field is added to a question, then field, asker and answerer are named', () => {
  expect(breaksOf(withVerify({ request: checkWith({ realm: z.string() }) as never }))).toContain(
    'auth.v1.verify (request): checks[].realm is new and required: auth of now would refuse what a released edge-proxy sends',
  );
});

test('given an optional field is added, then nothing breaks', () => {
  const { request } = authVerify;
  const more = (request as z.ZodObject).extend({ hint: z.string().optional() });
  expect(breaksOf(withVerify({ request: more as never }))).toEqual([]);
});

test('given a subject is gone, then it is named', () => {
  expect(breaksOf(contracts.filter(({ subject }) => subject !== authVerify.subject))).toEqual([
    'auth.v1.verify is gone: a released auth or edge-proxy still speaks it',
  ]);
});

const message = (schema: z.ZodType): Contract => ({
  ...{ kind: 'event', subject: 'thing.happened', summary: 's', owner: 'auth', readers: ['ratelimit'] },
  ...{ payload: schema, examples: [] },
});
const base = z.object({
  kind: z.enum(['a', 'b']),
  size: z.int().min(1).max(10),
  name: z.string().max(8).optional(),
  list: z.array(z.object({ id: z.string() })),
  either: z.union([z.object({ yes: z.string() }), z.object({ no: z.string() })]),
});

const SENDER = 'ratelimit of now would refuse what a released auth sends';
const READER = 'a released ratelimit would refuse what auth of now sends';
test.each<[string, z.ZodObject, string | undefined]>([
  ['the same', base, undefined],
  ['an optional field more', base.extend({ more: z.string().optional() }), undefined],
  ['an optional field less', base.omit({ name: true }), undefined],
  ['a field with a default more', base.extend({ more: z.string().default('x') }), undefined],
  ['a required field less', base.omit({ size: true }), `size is gone: ${READER}`],
  ['a field required', base.required({ name: true }), `name is required now: ${SENDER}`],
  ['a field optional', base.partial({ size: true }), `size may be missing now: ${READER}`],
  ['a value more', base.extend({ kind: z.enum(['a', 'b', 'c']) }), `kind value "c" is new: ${READER}`],
  ['a value less', base.extend({ kind: z.enum(['a']) }), `kind value "b" is gone: ${SENDER}`],
  ['another type', base.extend({ name: z.number().optional() }), `name type "string" is gone: ${SENDER}`],
  ['a bound tighter', base.extend({ size: z.int().min(1).max(5) }), `size maximum 10 is 5 now: ${SENDER}`],
  ['a bound wider', base.extend({ size: z.int().min(0).max(10) }), `size minimum 1 is 0 now: ${READER}`],
  ['no bound', base.extend({ name: z.string().optional() }), `name maxLength 8 is none now: ${READER}`],
  [
    'inside a list',
    base.extend({ list: z.array(z.object({ id: z.string(), at: z.int() })) }),
    `list[].at is new and required: ${SENDER}`,
  ],
  [
    'a form more',
    base.extend({
      either: z.union([z.object({ yes: z.string() }), z.object({ no: z.string() }), z.string()]),
    }),
    `either has one more form: ${READER}`,
  ],
  [
    'a form less',
    base.extend({ either: z.object({ yes: z.string() }) }),
    `either one of its forms is gone: ${SENDER}`,
  ],
])('%s', (_, changed, expected) => {
  const breaks = compareContracts(toAsyncApi([message(base)]), toAsyncApi([message(changed)])).map(
    describeBreak,
  );
  if (expected === undefined) expect(breaks).toEqual([]);
  else expect(breaks).toContain(`thing.happened (event): ${expected}`);
});
