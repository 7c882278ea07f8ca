import { expect, test } from 'vitest';
import { ConsumerGroups } from '../src/index.ts';

const acl = (id: string, consumer: string, group: string) => ({
  id,
  created_at: null,
  updated_at: null,
  tags: null,
  consumer: { id: consumer },
  group,
});

test('given acls that come, change, move and go, then each consumer has the groups of what is left', () => {
  const groups = new ConsumerGroups();
  for (const one of [acl('1', 'a', 'gold'), acl('2', 'a', 'beta'), acl('3', 'b', 'gold')])
    groups.put(one.id, one);
  expect([groups.of('a'), groups.of('b'), groups.of('c')]).toEqual([['gold', 'beta'], ['gold'], []]);

  groups.put('1', acl('1', 'a', 'silver'));
  groups.put('2', acl('2', 'b', 'beta'));
  groups.put('3', undefined);
  groups.put('never-there', undefined);
  expect([groups.of('a'), groups.of('b')]).toEqual([['silver'], ['beta']]);

  groups.clear();
  expect(groups.of('a')).toEqual([]);
});
