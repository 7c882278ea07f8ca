import { type ConfigFollower, type Position, stateAt } from '@sluice/config-log';
import type { DecisionRecord, SimulatedOutcome, SimulationReport } from '@sluice/contracts';
import {
  type ConfigError,
  type ConfigInput,
  type ConfigState,
  diffStates,
  loadConfig,
  type PluginCatalog,
} from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import type { FindParts } from '../explain-find.ts';
import { Budgets } from './budgets.ts';
import { type CallerChanges, callerChanges, Evidence } from './evidence.ts';
import { type Gathered, gatherRecords } from './gather-records.ts';
import { predict } from './predict.ts';
import type { AskedRecord } from './recorded-exchange.ts';
import { NotRecorded } from './recorded-headers.ts';
import { type Judged, reportOf } from './report.ts';
import { type Side, sideOf, sliced } from './side.ts';

/** Most requests that one simulation looks at: some 10 s of work. */
const MAX_RECORDS = 20_000;
/** Earlier configurations that are made ready, so that requests they served can be tried. */
const MAX_EARLIER = 8;

export interface SimulateParts extends FindParts {
  readonly follower: ConfigFollower;
  readonly catalog: PluginCatalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly plugins: { readonly all: () => readonly Plugin[] };
}

export interface SimulateRequest {
  readonly input: ConfigInput;
  /** How far back, in ms. */
  readonly sinceMs: number;
}

export type Simulated =
  | { readonly outcome: 'refused'; readonly refusal: ConfigError }
  | { readonly outcome: 'told'; readonly report: SimulationReport };

/**
 * Tries a configuration on the requests of the last minutes, without applying it: what would have become of each, and
 * what became of it. The edges are asked for what they remember, and do nothing else.
 */
export const simulate = async (parts: SimulateParts, request: SimulateRequest): Promise<Simulated> => {
  const { follower, catalog, environment } = parts;
  const at = follower.position;
  const live = follower.state.clone(); // commits go on meanwhile
  const now = Math.floor(Date.now() / 1000);
  const loaded = loadConfig(request.input, catalog, { now, previous: live, environment });
  if (!loaded.ok) return { outcome: 'refused', refusal: loaded.error };
  const ready = (state: ConfigState) => sideOf(state, pluginsOf(parts));
  const [inForce, candidate] = [await ready(live), await ready(loaded.state)];
  const since = Date.now() - request.sinceMs;
  const gathered = await gatherRecords(parts, since, MAX_RECORDS);
  const earlier = await earlierSides(parts, gathered.records, at, ready);
  const served = new Map([...earlier, [at.version, inForce]]);
  const judged = await judgeAll(gathered, { inForce, candidate, served });
  const ops = diffStates(live, loaded.state);
  const { warnings } = loaded;
  return {
    outcome: 'told',
    report: reportOf(judged, { version: at.version, since, gathered, warnings, ops }),
  };
};

const pluginsOf = ({ plugins }: SimulateParts) => {
  const byName = new Map(plugins.all().map((plugin) => [plugin.name, plugin]));
  return (name: string): Plugin | undefined => byName.get(name);
};

/** The configurations before the one in force that served some of the requests, by version; the latest ones. */
const earlierSides = async (
  { jetstream }: SimulateParts,
  records: readonly DecisionRecord[],
  { epoch, version, seq }: Position,
  ready: (state: ConfigState) => Promise<Side>,
): Promise<Map<number, Side>> => {
  const versions = [...new Set(records.map((record) => record.version))].filter((one) => one < version);
  const sides = new Map<number, Side>();
  for (const earlier of versions.sort((a, b) => b - a).slice(0, MAX_EARLIER)) {
    // One commit is one message, unless somebody else has written into the stream: then nothing is found.
    const found = await stateAt(jetstream, epoch, seq - (version - earlier)).catch(() => undefined);
    if (found?.position.version !== earlier || earlier === 0) continue;
    const side = await ready(found.state).catch(() => undefined); // a plugin of one's own that it names is gone
    if (side !== undefined) sides.set(earlier, side);
  }
  return sides;
};

interface Configurations {
  readonly inForce: Side;
  readonly candidate: Side;
  /** Those that served requests, by version. */
  readonly served: ReadonlyMap<number, Side>;
}

const judgeAll = async ({ records, wholeFrom }: Gathered, all: Configurations): Promise<Judged[]> => {
  const pause = sliced();
  const judged: Judged[] = [];
  const trials = { inForce: trialOn(all.inForce, wholeFrom), candidate: trialOn(all.candidate, wholeFrom) };
  for (const record of records) {
    judged.push(await judgeOne(record, all.served.get(record.version), trials, all.inForce));
    await pause();
  }
  return judged;
};

/** A configuration with its own counts. */
const trialOn = (side: Side, wholeFrom: number) => {
  const budgets = new Budgets(wholeFrom);
  const changes = new Map<Side, CallerChanges>();
  const since = (served: Side): CallerChanges => {
    const known = changes.get(served) ?? callerChanges(served.state, side.state);
    changes.set(served, known);
    return known;
  };
  return async (record: AskedRecord, served: Side): Promise<SimulatedOutcome | NotRecorded> => {
    try {
      return await predict({ side, budgets, evidence: new Evidence(record, served, side, since(served)) });
    } catch (error) {
      if (!(error instanceof NotRecorded)) throw error;
      budgets.doubt(record);
      return error;
    }
  };
};

type Trial = ReturnType<typeof trialOn>;

const judgeOne = async (
  record: DecisionRecord,
  served: Side | undefined,
  { inForce, candidate }: { inForce: Trial; candidate: Trial },
  live: Side,
): Promise<Judged> => {
  const { asked } = record;
  const cannot = (why: string): Judged => ({ record, result: 'unknown', why });
  if (record.refusal?.code === 'GW_OVERLOADED' || record.refusal?.code === 'GW_NOT_READY')
    return cannot('the edge refused it unread');
  if (asked === undefined) return cannot('an edge of an earlier release recorded it');
  if (served === undefined)
    return cannot(
      `r${record.version} served it, and that configuration, or a plugin in it, is no longer there`,
    );
  const known = { ...record, asked };
  const now = await inForce(known, served);
  const would = await candidate(known, served);
  if (now instanceof NotRecorded) return cannot(`no record has ${now.message}`);
  if (would instanceof NotRecorded) return cannot(`no record has ${would.message}`);
  if (served === live && !isAsRecorded(now, record))
    return cannot('its edge decided by more than its record has');
  return { record, result: isSameOutcome(now, would) ? 'same' : 'changes', now, would };
};

/** The trial is trusted where it finds what really happened. */
const isAsRecorded = ({ route, verdict, status }: SimulatedOutcome, record: DecisionRecord): boolean => {
  const recorded = record.route && (record.route.name ?? record.route.id);
  return route === recorded && (verdict === 'forwarded' || status === record.status);
};

const isSameOutcome = (now: SimulatedOutcome, would: SimulatedOutcome): boolean =>
  now.route === would.route &&
  now.verdict === would.verdict &&
  now.plugin === would.plugin &&
  now.code === would.code &&
  now.status === would.status &&
  now.upstream === would.upstream;
