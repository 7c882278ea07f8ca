import { expect, test } from 'vitest';
import { type EdgeShadow, sumShadow } from '../src/index.ts';

const route = (name: string, outcomes: Record<string, number>, at: readonly number[] = []) => ({
  ...{ route: name, skipped: [{ name: 'method', count: 1 }], uncompared: 1 },
  outcomes: Object.entries(outcomes).map(([outcome, count]) => ({ name: outcome, count })),
  examples: at.map((when) => ({ requestId: `r${when}`, at: when, method: 'GET', differences: [] })),
});
const edge = (instance: string, routes: EdgeShadow['routes']): EdgeShadow => ({ instance, since: 0, routes });

test('given two edges, then their copies are summed by route, the one with most differences first', () => {
  const [worst, other, ...more] = sumShadow(
    [
      edge('a', [route('fine', { equal: 10 }), route('orders', { equal: 6, different: 1, timeout: 2 }, [3])]),
      edge('b', [route('orders', { equal: 2, different: 1 }, [4, 2])]),
    ],
    2,
  );

  expect(more).toEqual([]);
  expect(worst).toMatchObject({
    ...{ route: 'orders', copies: 12, equal: 8, different: 2, failed: 2, equalShare: 0.8 },
    ...{ outcomes: { equal: 8, different: 2, timeout: 2 }, skipped: { method: 2 }, uncompared: 2 },
    examples: [{ requestId: 'r4' }, { requestId: 'r3' }],
  });
  expect(other).toMatchObject({ route: 'fine', copies: 10, equalShare: 1, examples: [] });
});

test('given copies that nobody answered, then no share is told', () => {
  const [view] = sumShadow([edge('a', [route('orders', { unreachable: 3 })])], 5);
  expect(view).toMatchObject({ copies: 3, failed: 3, equalShare: undefined });
});
