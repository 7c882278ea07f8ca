/**
 * What leases admit and refuse: `npm run bench -- leases`. Eight edges with the product's lease book, and the
 * limiter's own script on a real Redis, in a made-up time: so minutes pass in a second, and who should have got what
 * is known exactly. A bound that is broken makes the exit code 1. Not simulated: the processes and NATS between them.
 */
import { parseArgs } from 'node:util';
import { say } from '../measure/say.ts';
import { wholeNumber } from '../measure/whole-number.ts';
import { figuresText, isMet } from '../report/figures.ts';
import { saveJson } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';
import { boundsOf, budgetOf, type Summary, summariseOutcomes } from './judge.ts';
import { Limiter } from './limiter.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { type Outcome, simulate } from './simulate.ts';

const USAGE = `npm run bench -- leases [flags]
  --quick     one seed
  --seeds N   every scenario with N seeds, the worst counts (default 3)
  --only A    scenarios whose name has this in it
  --enforce   exit with 1 when a budget is not met, too`;

const readOptions = () => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      only: { type: 'string', default: '' },
      enforce: { type: 'boolean', default: false },
    },
  });
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only));
  if (scenarios.length === 0)
    throw new Error(`--only: no scenario has '${values.only}' in its name\n${USAGE}`);
  const seeds = wholeNumber('seeds', values.seeds, values.quick ? 1 : 3, USAGE);
  return { seeds, scenarios, isEnforced: values.enforce };
};

const tableOf = (summaries: readonly Summary[]): string =>
  tableText(
    ['8 edges', 'requests', 'asked', 'over', '≤', 'under', '≤', 'early', 'for ms', '≤', 'stranded'],
    summaries.map((one) => [
      one.name,
      `${one.requests}`,
      fixed(one.askedPerRequest, 3),
      `${one.over}`,
      `${one.overStated}`,
      `${one.under}`,
      `${one.underStated}`,
      `${fixed(one.earlyShare * 100, 2)} %`,
      fixed(one.earlyMs, 0),
      fixed(one.earlyMsStated, 0),
      `${one.stranded}`,
    ]),
  );

const run = async (limiter: Limiter, scenario: Scenario, seeds: number): Promise<Summary> => {
  say(scenario.name);
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= seeds; seed++) outcomes.push(await simulate(scenario, limiter, seed));
  return summariseOutcomes(scenario, outcomes);
};

const main = async (): Promise<void> => {
  const { seeds, scenarios, isEnforced } = readOptions();
  await using limiter = await Limiter.start();
  const summaries: Summary[] = [];
  for (const scenario of scenarios) summaries.push(await run(limiter, scenario, seeds));
  const bounds = summaries.flatMap(boundsOf);
  const budgets = summaries.map(budgetOf);
  const broken = bounds.filter((figure) => !isMet(figure));
  const missed = budgets.filter((figure) => !isMet(figure));
  const verdict =
    broken.length === 0 ? `all ${bounds.length} bounds hold` : `broken:\n${figuresText(broken)}`;
  const aims = missed.length === 0 ? 'all budgets met' : figuresText(missed);
  process.stdout.write(`${tableOf(summaries)}\n\n${verdict}\n\n${aims}\n`);
  saveJson('leases', { seeds, summaries, bounds, budgets });
  if (broken.length > 0 || (isEnforced && missed.length > 0)) process.exitCode = 1;
};

await main();
