import { ConfigState } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
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
  const read = (await decodeState(await encoded(state), known)).state;
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

test.each([
  ['an entity is missing', (text: string) => text.replace(/\n[^\n]+\n$/, '\n')],
  ['a hash is another one', (text: string) => text.replace(/\n[0-9a-f]{4}/, '\n0000')],
  ['a line is no entity', (text: string) => text.replace('\tservices\t', '\tservants\t')],
  ['the header is of another format', (text: string) => text.replace('"format":2', '"format":1')],
  ['there is no header', () => 'nothing'],
])('given %s, when it is read, then it is damaged', async (_, damage) => {
  const text = (await encoded(stateOf(2))).toString();
  await expect(decodeState(Buffer.from(damage(text)))).rejects.toThrow(DamagedState);
});
