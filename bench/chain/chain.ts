/** What a request costs, beside other gateways: `npm run bench -- chain`. How it is measured: docs/performance.md. */
import { type Burst, measure, warmUp } from '../measure/burst.ts';
import { say } from '../measure/say.ts';
import { startUpstream } from '../peers/servers.ts';
import { writeDocs } from '../report/docs.ts';
import { figuresText, isMet } from '../report/figures.ts';
import { chainPage } from '../report/page.ts';
import { save, saveJson, surroundings } from '../report/save.ts';
import { type Measured, type Row, summarise } from '../report/summary.ts';
import { rowsText } from '../report/table.ts';
import { chainFigures } from './budgets.ts';
import { leasedShare, limitDecisions } from './decisions.ts';
import { type ChainOptions, readOptions } from './options.ts';
import { findPrograms, type Programs } from './programs.ts';
import { assertAnswers, loadOf, type Started, startSubject } from './subjects.ts';
import { GROUPS, type Group, referencesOf, VARIANTS, type Variant } from './variants.ts';
import { World } from './world.ts';

/** The process of a further variant is warm; only its kind of load is new. */
const WARM_UP_AGAIN_SECONDS = 3;
/** Connections that warm a process up sooner than a few would. */
const FULL_LOAD = 64;

interface Entry {
  readonly variant: Variant;
  readonly subject: Started;
  readonly isFirst: boolean;
  readonly bursts: Burst[];
}

const startAll = async (world: World, { variants }: ChainOptions, programs: Programs): Promise<Entry[]> => {
  const started = new Map<Variant['runs'], Started | undefined>();
  const entries: Entry[] = [];
  for (const variant of variants) {
    const isFirst = !started.has(variant.runs);
    if (isFirst) {
      say(`starting ${variant.title}`);
      started.set(variant.runs, await startSubject(variant, world, programs));
    }
    const process = started.get(variant.runs);
    if (process === undefined) continue;
    const subject = { ...process, id: variant.id, load: loadOf(variant, world) };
    entries.push({ variant, subject, isFirst, bursts: [] });
  }
  await world.load();
  for (const { variant, subject } of entries) await assertAnswers(variant, subject.port, world);
  return entries;
};

const pidsOf = (world: World, entries: readonly Entry[]): ReadonlySet<number> =>
  new Set([
    ...[process.pid, ...world.pids],
    ...entries.flatMap(({ subject }) => Object.values(subject.processes).flat()),
  ]);

const measureOne = async (
  { variant, subject, bursts }: Entry,
  seconds: number,
  pids: ReadonlySet<number>,
): Promise<string> => {
  const before = await limitDecisions(subject.statusPorts);
  const burst = await measure(subject, seconds, pids);
  bursts.push(burst);
  const leased = leasedShare(before, await limitDecisions(subject.statusPorts));
  const note = Number.isNaN(leased) ? '' : `, ${(leased * 100).toFixed(1)} % of the limits from leases`;
  return `${variant.title}, ${Math.round(burst.perSecond)} req/s${note}`;
};

/** Every variant once in each round, so that what the machine does meanwhile meets all of them. */
const measureGroup = async (
  world: World,
  entries: readonly Entry[],
  options: ChainOptions,
  pids: ReadonlySet<number>,
): Promise<void> => {
  for (const { variant, subject, isFirst } of entries) {
    say(`warming up ${variant.title}`);
    const most = isFirst ? options.warmUpSeconds : Math.min(WARM_UP_AGAIN_SECONDS, options.warmUpSeconds);
    const connections = variant.group === 'light' && isFirst ? FULL_LOAD : variant.connections;
    await warmUp({ ...subject, load: { ...subject.load, connections } }, most, pids);
    world.emptyLogs();
  }
  for (let round = 1; round <= options.rounds; round++)
    for (const entry of entries) {
      say(`round ${round} of ${options.rounds}: ${await measureOne(entry, options.seconds, pids)}`);
      world.emptyLogs();
    }
};

const rowsOf = (entries: readonly Entry[]): Row[] => {
  const measured = entries.map(({ variant: { id, group, title, connections }, bursts }): Measured => {
    return { id, group, title, connections, bursts };
  });
  const find = (wanted: string) => measured.find(({ id }) => id === wanted);
  return measured.map((one) => {
    const { nginx, bare } = referencesOf(one.group);
    return summarise(one, { nginx: find(nginx), bare: find(bare) });
  });
};

const groupsIn = (rows: readonly Row[]): Group[] =>
  (Object.keys(GROUPS) as Group[]).filter((group) => rows.some((row) => row.group === group));

const textOf = (rows: readonly Row[]): string =>
  groupsIn(rows)
    .map((group) => `${GROUPS[group]}\n${rowsText(rows.filter((row) => row.group === group))}`)
    .join('\n\n');

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(3));
  const isWhole = options.variants.length === VARIANTS.length;
  if (options.writesDocs && !isWhole) throw new Error('--write-docs: leave out --only and --group');
  const programs = findPrograms();
  await using world = await World.start((folder) => startUpstream(programs.nginx, folder));
  const entries = await startAll(world, options, programs);
  const pids = pidsOf(world, entries);
  for (const group of Object.keys(GROUPS)) {
    const ofGroup = entries.filter(({ variant }) => variant.group === group);
    if (ofGroup.length > 0) await measureGroup(world, ofGroup, options, pids);
  }
  const rows = rowsOf(entries);
  const figures = chainFigures(rows);
  process.stdout.write(`${textOf(rows)}\n\n${figuresText(figures)}\n`);
  const result = { on: surroundings(), rounds: options.rounds, seconds: options.seconds, rows, figures };
  saveJson('chain', {
    ...result,
    entries: entries.map(({ variant, bursts }) => ({ id: variant.id, bursts })),
  });
  save('chain.html', chainPage(result));
  if (options.writesDocs) writeDocs(result);
  if (options.isEnforced && !figures.every(isMet)) process.exitCode = 1;
};

await main();
