import type { ConfigOp } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { EntityIndex } from '../../src/entities/entity-index.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const IDS = ['1', '2', '3', '4', '5'];

/** Random but repeatable. */
const numbers = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor(seed / 65_536); // the low bits repeat soon
};
const pick = <T>(list: readonly T[], next: () => number): T => list[next() % list.length] as T;

/** Writes as the log could hold them: a name has one owner at a time. */
const randomOp = (state: ConfigState, next: () => number): ConfigOp => {
  const kind = next() % 2 === 0 ? 'routes' : 'services';
  const id = pick(IDS, next);
  if (next() % 4 === 0) return { op: 'delete', kind, id };
  const free = NAMES.filter(
    (name) => ![...state.list(kind)].some((one) => one.name === name && one.id !== id),
  );
  const service = next() % 2 === 0 ? { id: pick(IDS, next) } : null;
  const entity = { id, name: free.length === 0 ? null : pick(free, next), service };
  return { op: 'put', kind, id, entity: kind === 'routes' ? entity : { id, name: entity.name } };
};

const told = (index: EntityIndex) => ({
  owners: ['routes', 'services'].map((kind) =>
    NAMES.map((name) => index.ownerOf(kind as 'routes', { name }) ?? null),
  ),
  referrers: IDS.map((id) =>
    index
      .referrersOf('services', id)
      .map((one) => one.id)
      .toSorted(),
  ),
});

test.each([1, 2, 3])('an index that followed 500 writes (seed %i) says what a new one says', (seed) => {
  const next = numbers(seed);
  const state = new ConfigState();
  const followed = new EntityIndex();
  for (let count = 0; count < 500; count += 1) {
    const op = randomOp(state, next);
    state.apply([op]);
    followed.apply([op]);
  }
  const fresh = new EntityIndex();
  fresh.rebuild(state);
  expect(told(followed)).toEqual(told(fresh));
  const names = [...state.list('routes')].flatMap(({ name, id }) => (name === null ? [] : [[name, id]]));
  expect(names.length).toBeGreaterThan(0);
  for (const [name, id] of names) expect(followed.ownerOf('routes', { name })).toBe(id);
});
