/**
 * Says what the next release of each service and of the contracts would be, by the commits since its last one. With
 * --write: writes it, commits it and tags it. Ends with 1 where something stands against a release.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareContracts, contracts, describeBreak, toAsyncApi } from '@sluice/contracts';
import { type Commit, commitsSince } from './commits.ts';
import { nameless, planStep, type Step } from './plan.ts';
import { readRooms } from './rooms.ts';
import { entryOf, readReleased, writeStep } from './write-step.ts';

const ROOT = process.cwd();
const IS_REAL = process.argv.includes('--write');
const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const whyNot = (commits: readonly Commit[]): string[] => {
  const released: unknown = JSON.parse(
    readFileSync(join(ROOT, 'libs/contracts/released/asyncapi.json'), 'utf8'),
  );
  return [
    ...compareContracts(released, toAsyncApi(contracts)).map(describeBreak),
    ...nameless(commits).map(
      ({ hash, subject }) =>
        `${hash} "${subject}" begins with no area of tools/release/plan.ts: name it there`,
    ),
    ...(IS_REAL && git('status', '--porcelain') !== ''
      ? ['what is here is not committed: commit or stash it']
      : []),
  ];
};

const commitAndTag = (steps: readonly Step[]): void => {
  const tags = steps.map(({ room, to }) => `${room.name}@${to}`);
  git('add', '--all');
  git('commit', '--quiet', '--message', `release: ${tags.join(', ')}`);
  for (const tag of tags) git('tag', '--annotate', tag, '--message', tag);
};

const show = ({ room, from, to, level, commits }: Step): void => {
  say(`${room.name} ${from} -> ${to} (${level})`);
  const [, , ...lines] = entryOf(to, commits).split('\n');
  say(lines.map((line) => `  ${line}`.trimEnd()).join('\n'));
};

const released = readReleased(ROOT);
const since = new Map(
  Object.entries(released).map(([name, { commit }]) => [name, commitsSince(ROOT, commit)]),
);
const problems = whyNot([...new Map([...since.values()].flat().map((one) => [one.hash, one])).values()]);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);

const steps = readRooms(ROOT).flatMap((room) => {
  const { version } = released[room.name] ?? { version: '0.0.0' };
  return planStep(room, version, since.get(room.name) ?? []) ?? [];
});
steps.forEach(show);
if (steps.length === 0) say('nothing to release');
else if (IS_REAL) {
  const sources = git('rev-parse', 'HEAD');
  for (const step of steps) writeStep(ROOT, step, sources);
  commitAndTag(steps);
}
