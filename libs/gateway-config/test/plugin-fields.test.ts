import { expect, test } from 'vitest';
import { z } from 'zod';
import { kongPluginSchema, pluginFields } from '../src/index.ts';

const config = z
  .strictObject({
    minute: z.number().positive().nullable().default(null),
    port: z.int().min(0).max(65_535).default(6379),
    policy: z.enum(['local', 'redis']).default('local'),
    names: z.array(z.string()).min(1),
    tags: z
      .array(z.string())
      .overwrite((values) => [...new Set(values)])
      .default([]),
    headers: z.record(z.string(), z.int()).nullable().default(null),
    inner: z.strictObject({ flag: z.boolean().default(false) }).prefault({}),
    ignored: z.int().optional(),
    old_port: z.int().nullable().optional().describe('Deprecated; write inner.port.'),
  })
  .superRefine(() => undefined);

test('a zod schema reads as a field list', () => {
  expect(pluginFields(config)).toEqual({
    fields: {
      minute: { type: 'number', greaterThan: 0 },
      port: { type: 'integer', between: [0, 65_535], required: true, default: 6379 },
      policy: { type: 'string', oneOf: ['local', 'redis'], required: true, default: 'local' },
      names: { type: 'array', elements: { type: 'string' }, lengthMin: 1, required: true },
      tags: { type: 'set', elements: { type: 'string' }, required: true, default: [] },
      headers: { type: 'map', keys: { type: 'string' }, values: { type: 'integer' } },
      inner: {
        type: 'record',
        fields: { flag: { type: 'boolean', required: true, default: false } },
        required: true,
      },
    },
    shorthands: { old_port: { field: { type: 'integer' }, replacedBy: ['inner', 'port'] } },
  });
});

test('Kong’s form has one object for each field', () => {
  const { fields } = kongPluginSchema({ config, consumerScope: false });
  expect(fields.map((field) => Object.keys(field))).toEqual([['protocols'], ['consumer'], ['config']]);
  expect(fields[1]).toEqual({ consumer: { type: 'foreign', reference: 'consumers', eq: null } });
  expect(fields[2]).toMatchObject({
    config: {
      type: 'record',
      required: true,
      fields: expect.arrayContaining([
        { minute: { type: 'number', gt: 0 } },
        { headers: { type: 'map', keys: { type: 'string' }, values: { type: 'integer' } } },
        { names: { type: 'array', required: true, len_min: 1, elements: { type: 'string' } } },
      ]),
      shorthand_fields: [
        {
          old_port: expect.objectContaining({
            deprecation: expect.objectContaining({ replaced_with: [{ path: ['inner', 'port'] }] }),
          }),
        },
      ],
    },
  });
});
