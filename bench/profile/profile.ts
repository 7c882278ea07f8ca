/** Where an edge spends its time under load: `npm run bench -- profile`. How to read it: docs/performance.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '@sluice/testkit';
import { findPrograms } from '../chain/programs.ts';
import { assertAnswers, loadOf } from '../chain/subjects.ts';
import { VARIANTS, type Variant } from '../chain/variants.ts';
import { World } from '../chain/world.ts';
import { warmUp } from '../measure/burst.ts';
import { type WrkResult, wrk } from '../measure/wrk.ts';
import { startUpstream } from '../peers/servers.ts';
import { fixed, tableText } from '../report/table.ts';
import { flameGraph } from './flame-graph.ts';
import { type CpuProfile, Inspector } from './inspector.ts';
import { type FunctionTime, type Group, type SelfTimes, selfTimes } from './self-time.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RESULTS = join(ROOT, 'bench', 'results');
const TOP = 40;
const USAGE =
  'npm run bench -- profile [--variant full] [--seconds 5] [--warm-up 15 (s, at most)] [--every 200 (µs)]';

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      variant: { type: 'string', default: 'full' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '15' },
      every: { type: 'string', default: '200' },
    },
  });
  const variant = VARIANTS.find(({ id, runs }) => id === values.variant && 'chain' in runs);
  if (variant === undefined) throw new Error(`--variant: there is no variant ${values.variant}\n${USAGE}`);
  const [seconds, warmUpSeconds, every] = [values.seconds, values['warm-up'], values.every].map(Number);
  return { variant, seconds: seconds ?? 5, warmUpSeconds: warmUpSeconds ?? 15, every: every ?? 200 };
};

/** One edge of that variant with its inspector open; loaded until it is warm, then looked at. */
const record = async (
  world: World,
  variant: Variant,
  { seconds, warmUpSeconds, every }: { seconds: number; warmUpSeconds: number; every: number },
): Promise<{ profile: CpuProfile; load: WrkResult }> => {
  if (!('chain' in variant.runs)) throw new Error(`${variant.title} is no variant of ours`);
  const inspectPort = await freePort();
  const { settings, isTraced } = variant.runs;
  const edge = await world.addEdges({
    name: variant.id,
    count: 1,
    settings: isTraced ? { ...world.tracing, ...settings } : settings,
    flags: [`--inspect=127.0.0.1:${inspectPort}`],
    isFromSource: true,
  });
  await world.load();
  const load = loadOf(variant, world);
  await assertAnswers(variant, edge.port, world);
  const processes = { edge: edge.children.map(({ pid }) => pid) };
  await warmUp({ id: variant.id, port: edge.port, load, processes }, warmUpSeconds, new Set());
  using inspector = await Inspector.open(inspectPort);
  let result: WrkResult | undefined;
  const profile = await inspector.profile(every, async () => {
    result = await wrk(edge.port, load, seconds);
  });
  if (result === undefined) throw new Error('nothing was measured');
  return { profile, load: result };
};

const percent = (share: number): string => `${fixed(share * 100, 1)} %`;

const GROUP_NAMES: Readonly<Record<Group, string>> = {
  ours: 'Sluice',
  packages: 'npm packages',
  node: 'Node, its JavaScript',
  native: 'native functions',
  gc: 'garbage collection',
  program: 'program (parser, sockets, C++)',
  idle: 'idle',
};

const functionRows = (functions: readonly FunctionTime[], requests: number): string[][] =>
  functions
    .slice(0, TOP)
    .map(({ name, place, group, selfMicros, share }) => [
      `${name}  ${place}`,
      group,
      fixed(selfMicros / requests, 2),
      percent(share),
    ]);

const reportText = (title: string, { functions, groups, busyMicros }: SelfTimes, load: WrkResult): string => {
  const perRequest = (micros: number): string => fixed(micros / load.requests, 2);
  const byGroup = Object.entries(groups)
    .filter(([group]) => group !== 'idle')
    .toSorted(([, a], [, b]) => b - a)
    .map(([group, micros]) => [
      GROUP_NAMES[group as Group],
      perRequest(micros),
      percent(micros / busyMicros),
    ]);
  const of = (wanted: (one: FunctionTime) => boolean) =>
    tableText(['', 'group', 'µs/req', 'share'], functionRows(functions.filter(wanted), load.requests));
  return [
    `${title}: ${fixed(load.perSecond, 0)} req/s, ${perRequest(busyMicros)} µs of the main thread a request`,
    `\nSelf time by group\n${tableText(['', 'µs/req', 'share'], byGroup)}`,
    `\nSelf time by function, top ${TOP}\n${of(({ group }) => group !== 'gc' && group !== 'program')}`,
    `\nSelf time of Sluice's own functions, top ${TOP}\n${of(({ group }) => group === 'ours')}`,
    '',
  ].join('\n');
};

const main = async (): Promise<void> => {
  const options = readOptions();
  const { nginx } = findPrograms();
  await using world = await World.start((folder) => startUpstream(nginx, folder));
  const { profile, load } = await record(world, options.variant, options);
  const times = selfTimes(profile, ROOT);
  const text = reportText(options.variant.title, times, load);
  mkdirSync(RESULTS, { recursive: true });
  const save = (ending: string, content: string): void =>
    writeFileSync(join(RESULTS, `profile-${options.variant.id}.${ending}`), content);
  save('txt', text);
  save('json', JSON.stringify({ load, ...times, functions: times.functions.slice(0, 400) }, undefined, 1));
  save('cpuprofile', JSON.stringify(profile));
  save('html', flameGraph(profile, { root: ROOT, title: options.variant.title, requests: load.requests }));
  process.stdout.write(`${text}\n${join('bench', 'results', `profile-${options.variant.id}.html`)}\n`);
};

await main();
