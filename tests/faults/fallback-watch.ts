import { call } from '@sluice/testkit';
import type { GatewayWorld } from './gateway-world.ts';
import type { SeenFallbacks } from './row-load.ts';

type Edge = GatewayWorld['edges'][number];
type Dependency = 'auth' | 'ratelimit';

/** Decisions that an edge says it made without a service, whatever the reason. */
const countedAt = async ({ part }: Edge, dependency: Dependency): Promise<number> => {
  const { text } = await call(part.statusUrl, '/metrics');
  return text
    .split('\n')
    .filter((line) => line.startsWith(`sluice_degraded_decisions_total{dependency="${dependency}"`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

/**
 * M1: what a client saw to be decided without a service, the edge has counted.
 * @returns when called after the load, what was not.
 */
export const watchFallbacks = async (
  edges: readonly Edge[],
  seen: Readonly<Record<Dependency, SeenFallbacks>>,
): Promise<() => Promise<readonly string[]>> => {
  const before = await Promise.all(
    edges.flatMap((edge) =>
      (['auth', 'ratelimit'] as const).map(async (dependency) => ({
        ...{ edge, dependency, seen: seen[dependency].at(edge.url) },
        counted: await countedAt(edge, dependency),
      })),
    ),
  );
  return async () => {
    const missing: string[] = [];
    for (const { edge, dependency, ...then } of before) {
      const counted = (await countedAt(edge, dependency)) - then.counted;
      const told = seen[dependency].at(edge.url) - then.seen;
      if (counted < told)
        missing.push(`${edge.url}: ${told} decisions without ${dependency} seen, ${counted} counted`);
    }
    return missing;
  };
};
