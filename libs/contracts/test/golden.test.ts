import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { type Contract, channelId, contracts } from '../src/index.ts';
import { onTheWire } from './messages.ts';

/**
 * Messages as processes of an earlier release send them. A file here is never changed, only added to: a schema
 * that no longer reads them breaks a rolling upgrade, and needs a new subject instead.
 */
const FOLDER = join(import.meta.dirname, 'golden');

interface Golden {
  readonly subject: string;
  readonly messages: readonly {
    readonly name: string;
    readonly request?: unknown;
    readonly reply?: unknown;
    readonly payload?: unknown;
  }[];
}

const fileOf = (contract: Contract): string => join(FOLDER, `${channelId(contract)}.json`);
const goldenOf = (contract: Contract): Golden => JSON.parse(readFileSync(fileOf(contract), 'utf8'));

test.each(contracts)('$subject has golden messages', (contract) => {
  const proposal = { subject: contract.subject, messages: contract.examples };

  expect(existsSync(fileOf(contract)), `write ${fileOf(contract)}:\n${JSON.stringify(proposal)}`).toBe(true);
  expect(goldenOf(contract).subject).toBe(contract.subject);
  expect(goldenOf(contract).messages.length).toBeGreaterThan(0);
});

test('every golden file belongs to a contract: a subject that others may still speak was not dropped', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(contracts.map((c) => `${channelId(c)}.json`).sort());
});

const readable = (schema: z.ZodType, message: unknown) => {
  const parsed = schema.safeParse(message);
  expect(parsed.error).toBeUndefined();
  // What the old writer said is still what the new reader understands.
  if (typeof message === 'object') expect(onTheWire(parsed.data)).toMatchObject(message as object);
  else expect(parsed.data).toEqual(message);
};

test.each(contracts)(
  'given $subject from an earlier release, when it is read, then nothing of it is lost',
  (contract) => {
    for (const message of goldenOf(contract).messages)
      if (contract.kind === 'event') readable(contract.payload, message.payload);
      else {
        readable(contract.request, message.request);
        readable(contract.reply, message.reply);
      }
  },
);
