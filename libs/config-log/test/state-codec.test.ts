import type { ConfigOp } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { describe, expect, test } from 'vitest';
import type { Position } from '../src/index.ts';
import { DamagedState, decodeState, encodeState } from '../src/state-codec.ts';
import { service } from './log-world.ts';

const stateOf = (count: number, revision = 0): ConfigState => {
  const state = new ConfigState();
  state.apply(Array.from({ length: count }, (_, index) => service(index, revision, 'tab\t, "quote" and é')));
  return state;
};
const positionOf = ({ digest }: ConfigState): Position => ({ epoch: 'e', version: 3, seq: 4, digest });
const encoded = (state: ConfigState) => encodeState(state, positionOf(state));

test('what was written is read: position, digest and every entity', async () => {
  const state = stateOf(1200);
  const { state: read, position } = await decodeState(await encoded(state));
  expect(position).toEqual(positionOf(state));
  expect(read.digest).toBe(state.digest);
  expect(read.toEntities()).toEqual(state.toEntities());
});

test('given a state that is known, then entities in the same form are taken from there and others are not', async () => {
  const known = stateOf(3);
  const state = stateOf(3);
  state.apply([service(1, 9)]);
  const read = (await decodeState(await encoded(state), { known })).state;
  const [first, second] = [...known.list('services')];
  expect(read.get('services', first?.id ?? '')).toBe(first);
  expect(read.get('services', second?.id ?? '')).toMatchObject({ host: '9.test' });
});

test('given the state changes while it is written, then what is written is the state as it was', async () => {
  const state = stateOf(2000);
  const position = positionOf(state);
  const writing = encodeState(state, position);
  state.apply([service(1999, 1)]);
  expect((await decodeState(await writing)).state.digest).toBe(position.digest);
});

const consumer = (index: number): ConfigOp => {
  const id = `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
  return { op: 'put', kind: 'consumers', id, entity: { id, username: `c-${index}\n"é` } };
};
const mixedState = (): ConfigState => {
  const state = stateOf(1200);
  state.apply(Array.from({ length: 700 }, (_, index) => consumer(index)));
  return state;
};
const ONLY_CONSUMERS = { kinds: new Set(['consumers'] as const) };

test('given a reader of some kinds, then the others are counted, and read as they are when asked for', async () => {
  const state = mixedState();
  const { state: read } = await decodeState(await encoded(state), ONLY_CONSUMERS);
  expect([read.size, read.count('services'), read.digest]).toEqual([1900, 1200, state.digest]);
  const copy = read.clone();
  expect(read.toEntities()).toEqual(state.toEntities());
  expect(copy.toEntities()).toEqual(state.toEntities());
});

test('given a reader of some kinds, when others change, then its digest is that of a reader of all', async () => {
  const text = await encoded(mixedState());
  const [all, some] = await Promise.all([decodeState(text), decodeState(text, ONLY_CONSUMERS)]);
  const ops: ConfigOp[] = [
    service(3, 8),
    { op: 'delete', kind: 'services', id: service(4).id },
    consumer(701),
    service(5000),
  ];
  expect(some.state.digestAfter(ops)).toBe(all.state.digestAfter(ops));
  some.state.apply(ops);
  all.state.apply(ops);
  expect(some.state.digest).toBe(all.state.digest);
  expect(some.state.toEntities()).toEqual(all.state.toEntities());
});

describe.each([
  ['all kinds', {}],
  ['other kinds', ONLY_CONSUMERS],
])('for a reader of %s', (_, options) => {
  test.each([
    ['an entity is missing', (text: string) => text.replace(/\n[^\n]+\n$/, '\n')],
    ['a hash is another one', (text: string) => text.replace(/\n[0-9a-f]{4}/, '\n0000')],
    ['a line is no entity', (text: string) => text.replace('\tservices\t', '\tservants\t')],
    ['the header is of another format', (text: string) => text.replace('"format":2', '"format":1')],
    ['there is no header', () => 'nothing'],
  ])('given %s, when it is read, then it is damaged', async (_, damage) => {
    const text = (await encoded(stateOf(2))).toString();
    await expect(decodeState(Buffer.from(damage(text)), options)).rejects.toThrow(DamagedState);
  });
});

test('given the entities of one kind stand apart, when some kinds are read, then it is damaged', async () => {
  const [head, ...lines] = (await encoded(mixedState())).toString().trimEnd().split('\n');
  const torn = [head, ...lines.slice(1), lines[0], ''].join('\n');
  await expect(decodeState(Buffer.from(torn), ONLY_CONSUMERS)).rejects.toThrow(DamagedState);
});
