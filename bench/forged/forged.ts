/**
 * What a forged token costs: `npm run bench -- forged`. Every token of the tables of `tests/forgeries` over a socket to
 * a running gateway, one after the other, round after round, and beside them good tokens that nobody has seen before:
 * whoever forges must not make the gateway work longer than whoever may come in. A token that is not refused makes the
 * exit code 1. Writes its rows into docs/performance.md with `--write`.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FORGED, MISSPELT } from '../../tests/forgeries/families.ts';
import { GOOD_SIGNERS } from '../../tests/forgeries/good-tokens.ts';
import { besideLongest, longest } from '../../tests/forgeries/spellings.ts';
import { ForgeryWorld } from '../../tests/forgery-world.ts';
import { AS_SHIPPED } from '../../tests/gateway.ts';
import { say } from '../measure/say.ts';
import { wholeNumber } from '../measure/whole-number.ts';
import { between, markdownTable } from '../report/docs.ts';
import { FIGURE_HEAD, figureCells, figuresText, isMet } from '../report/figures.ts';
import { surroundingsText } from '../report/page.ts';
import { saveJson, surroundings } from '../report/save.ts';
import { tableText } from '../report/table.ts';
import { budgets, cellsOf, dearestOf, HEAD, Kind, type Role } from './kinds.ts';

const USAGE = `npm run bench -- forged [flags]
  --quick      five rounds
  --rounds N   (default 15)
  --write      write the tables into docs/performance.md
  --enforce    exit with 1 when a budget is not met, too`;
/** Presented first, and not counted: until the compiler has nothing left to do. */
const WARM_UP_ROUNDS = 2;
/** Good tokens of each signer in a round. */
const GOOD_EACH = 8;
/** A refusal is remembered for a second: a token comes again when it is forgotten. */
const LEAST_ROUND_MS = 1200;
const SHOWN = 10;
const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
    enforce: { type: 'boolean', default: false },
  },
});
const rounds = wholeNumber('rounds', values.rounds, values.quick ? 5 : 15, USAGE);

const wrong: string[] = [];

const presentForged = async (world: ForgeryWorld, kind: Kind, forge: (typeof FORGED)[number]['forge']) => {
  for (const { name, token, beside, status: refusal = 401 } of forge(world.origin)) {
    const { status, tookMs } = await world.present(token, beside);
    if (status !== refusal) wrong.push(`${kind.title}, ${name}: ${status} in place of ${refusal}`);
    kind.add(name, tookMs);
  }
};

const presentGood = async (
  world: ForgeryWorld,
  kind: Kind,
  make: () => string,
  { times, beside }: { times: number; beside?: string },
) => {
  for (let n = 0; n < times; n++) {
    const { status, tookMs, body } = await world.present(make(), beside);
    if (status !== 200) wrong.push(`${kind.title}: a good token gets ${status} ${body}`);
    kind.add(kind.title, tookMs);
  }
};

/** All tokens once. */
const round = async (world: ForgeryWorld, kindOf: (title: string, role: Role) => Kind) => {
  const { origin } = world;
  const newId = () => ({ jti: randomUUID() });
  for (const { family, forge } of [...FORGED, ...MISSPELT])
    await presentForged(world, kindOf(family, 'forged'), forge);
  for (const { name, sign } of GOOD_SIGNERS)
    await presentGood(world, kindOf(name, 'good'), () => sign(origin, newId()), { times: GOOD_EACH });
  const beside = besideLongest();
  for (const { name, sign } of GOOD_SIGNERS.filter(({ alg }) => alg === 'HS256' || alg === 'RS256')) {
    const make = () => longest((pad) => sign(origin, { ...newId(), pad }));
    const kind = kindOf(name, 'large');
    await presentGood(world, kind, make, { times: GOOD_EACH, beside });
  }
};

const measure = async (world: ForgeryWorld): Promise<readonly Kind[]> => {
  const kinds = new Map<string, Kind>();
  for (let n = -WARM_UP_ROUNDS; n < rounds; n++) {
    if (n === 0) kinds.clear();
    const begun = performance.now();
    await round(world, (title, role) => {
      const key = `${role} ${title}`;
      const kind = kinds.get(key) ?? new Kind(title, role);
      kinds.set(key, kind);
      return kind;
    });
    const tookMs = performance.now() - begun;
    say(`${n < 0 ? 'warm-up' : `round ${n + 1} of ${rounds}`}: ${Math.round(tookMs)} ms`);
    await sleep(Math.max(0, LEAST_ROUND_MS - tookMs));
  }
  return [...kinds.values()];
};

const kinds = await (async () => {
  await using world = await ForgeryWorld.start(AS_SHIPPED);
  const measured = await measure(world);
  if (world.reached.elsewhere > 0) wrong.push(`${world.reached.elsewhere} requests for a forger's keys`);
  return measured;
})();
const rows = kinds.map(cellsOf);
const figures = budgets(kinds);
const dearest = dearestOf(kinds, 'forged');
process.stdout.write(`${tableText(HEAD, rows)}\n\ndearest forgery: ${dearest.title}, ${dearest.name}\n\n`);
process.stdout.write(`${figuresText(figures)}\n`);
for (const line of wrong.slice(0, SHOWN)) process.stdout.write(`${line}\n`);
if (wrong.length > SHOWN) process.stdout.write(`and ${wrong.length - SHOWN} more\n`);
saveJson('forged', { rounds, kinds: kinds.map((kind) => kind.summary), figures, wrong });
if (values.write) {
  const text = [
    `${rounds} rounds. ${surroundingsText(surroundings())}.`,
    markdownTable(HEAD, rows),
    `The dearest forgery: ${dearest.title}, ${dearest.name}.`,
    markdownTable(FIGURE_HEAD, figures.map(figureCells)),
  ].join('\n\n');
  writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), text, 'forged'));
}
if (wrong.length > 0 || (values.enforce && !figures.every(isMet))) process.exitCode = 1;
