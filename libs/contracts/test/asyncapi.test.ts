import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as exported from '../src/index.ts';
import { channelId, contracts, requestReply, STREAMS, toAsyncApi } from '../src/index.ts';

interface Channel {
  readonly address: string | null;
  readonly messages: Readonly<Record<string, unknown>>;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly 'x-stream'?: unknown;
}
interface Operation {
  readonly action: string;
  readonly channel: { readonly $ref: string };
  readonly reply?: { readonly channel: { readonly $ref: string } };
  readonly 'x-owner': string;
  readonly 'x-readers': readonly string[];
}
interface Document {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, { payload: unknown; examples: unknown[] }>>;
  };
}

const written = `${JSON.stringify(toAsyncApi(contracts), null, 2)}\n`;
const document: Document = JSON.parse(written);

const referencesIn = (value: unknown): string[] =>
  value === null || typeof value !== 'object'
    ? []
    : Object.entries(value).flatMap(([key, item]) => (key === '$ref' ? [`${item}`] : referencesIn(item)));

const found = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((place, key) => (place as Record<string, unknown> | undefined)?.[key], document);

test('docs/asyncapi.json says what the contracts say', async () => {
  // `npm run docs` or `vitest -u` rewrites it.
  await expect(written).toMatchFileSnapshot(join(import.meta.dirname, '../../../docs/asyncapi.json'));
});

test('every contract that is declared or exported is in the document', () => {
  const isContract = (value: unknown): value is { subject: string } =>
    typeof value === 'object' && value !== null && 'subject' in value && 'examples' in value;
  const src = join(import.meta.dirname, '../src');
  const declared = globSync('*/**/*.ts', { cwd: src }).flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(/^ {2}subject: '([^']+)',$/gm)].map(
      ([, one = '']) => one,
    ),
  );
  const values: unknown[] = [...Object.values(exported), ...Object.values(exported.entityEvents)];
  const all = values.filter(isContract);

  expect(declared.length).toBeGreaterThan(25);
  for (const subject of [...declared, ...all.map((one) => one.subject)])
    expect(document.operations, `${subject}: add it to registry.ts`).toHaveProperty([channelId({ subject })]);
});

test('every reference leads somewhere', () => {
  const references = referencesIn(document);

  expect(references.length).toBeGreaterThan(contracts.length);
  for (const reference of references) expect(found(reference), reference).toBeDefined();
});

test.each(contracts)('$subject is a channel with an operation, its owner and its readers', (contract) => {
  const operation = document.operations[channelId(contract)];
  const readers = contract.kind === 'event' ? contract.readers : contract.askedBy;

  expect(document.channels[channelId(contract)]?.address).toBe(contract.subject);
  expect(operation).toMatchObject({
    action: contract.kind === 'event' ? 'send' : 'receive',
    'x-owner': contract.owner,
    'x-readers': readers,
  });
  expect(operation?.reply === undefined).toBe(contract.kind === 'event');
});

test('a {token} of an address is a parameter, and no other channel has any', () => {
  for (const { address, parameters } of Object.values(document.channels)) {
    const tokens = [...(address ?? '').matchAll(/\{(\w+)\}/g)].map(([, token]) => token);
    expect(Object.keys(parameters ?? {})).toEqual(tokens);
  }
  expect(document.channels['quota.updated.tenant']?.parameters).toHaveProperty('tenant');
});

test('a channel that a stream keeps shows the stream', () => {
  expect(document.channels['config.committed']?.['x-stream']).toEqual(STREAMS.CONFIG);
  expect(document.channels['config.heartbeat']).not.toHaveProperty('x-stream');
});

test('messages carry their schema without closing it, and all examples', () => {
  const request = document.components.messages['ratelimit.v1.settle.request'];

  expect(request?.payload).toMatchObject({
    type: 'object',
    required: ['v', 'checks'],
    properties: { checks: { minItems: 1, maxItems: 64 } },
  });
  expect(request?.payload).not.toHaveProperty('additionalProperties');
  for (const [name, { examples }] of Object.entries(document.components.messages))
    expect(examples.length, name).toBeGreaterThan(0);
});

test('given an event of a stream that is not defined, then the document is refused by name', () => {
  const [event] = contracts.filter(({ kind }) => kind === 'event');

  expect(() => toAsyncApi([{ ...event, stream: 'NOWHERE' } as never])).toThrow(/NOWHERE.*STREAMS/);
});

test('given a request without a queue, then its operation has no queue binding', () => {
  const everyone = requestReply({
    ...(contracts.find(({ kind }) => kind === 'request-reply') as ReturnType<typeof requestReply>),
    subject: 'test.v1.everyone',
  });
  const { queue: _, ...contract } = everyone;

  const { operations } = toAsyncApi([contract]) as unknown as Document;

  expect(operations['test.v1.everyone']).not.toHaveProperty('bindings');
});
