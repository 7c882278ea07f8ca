import type { Expected } from './events.ts';
import type { QuotaWorld } from './servers.ts';

const AT_ONCE = 500;

type Hash = Readonly<Record<string, string>>;

const hashesOf = async (
  { redis }: QuotaWorld,
  tenants: readonly string[],
  keyOf: (tenant: string) => string,
): Promise<ReadonlyMap<string, Hash>> => {
  const found = new Map<string, Hash>();
  for (let from = 0; from < tenants.length; from += AT_ONCE) {
    const some = tenants.slice(from, from + AT_ONCE);
    const hashes = await Promise.all(some.map((tenant) => redis.hgetall(keyOf(tenant))));
    for (const [n, tenant] of some.entries()) found.set(tenant, hashes[n] ?? {});
  }
  return found;
};

/** Where Redis and the stream of newest states differ from what follows from the events; empty: exact. */
export const differences = async (world: QuotaWorld, expected: Expected): Promise<string[]> => {
  const found: string[] = [];
  const compare = (what: string, is: string | undefined, wanted: string): void => {
    if (is !== wanted) found.push(`${what} is ${is ?? 'not there'}, not ${wanted}`);
  };
  const states = await hashesOf(world, [...expected.states.keys()], (tenant) => `quota:tenant:${tenant}`);
  const usage = await hashesOf(world, [...expected.tokens.keys()], (tenant) => `quota:usage:{${tenant}}`);
  const latest = await world.latest();
  for (const [tenant, { eventId, used, seq }] of expected.states) {
    const hash = states.get(tenant);
    compare(`${tenant}: used`, hash?.used, `${used}`);
    compare(`${tenant}: event_id`, hash?.event_id, eventId);
    compare(`${tenant}: v_seq`, `${Number(hash?.v_seq)}`, `${seq}`);
    compare(`${tenant}: newest state in the stream`, latest.get(tenant), eventId);
  }
  for (const [tenant, tokens] of expected.tokens)
    compare(`${tenant}: prompt_tokens`, usage.get(tenant)?.prompt_tokens, `${tokens}`);
  const { messages: dead } = await world.jetstream.streamInfo('DEADLETTER');
  if (dead > 0) found.push(`${dead} events are dead letters`);
  return found;
};
