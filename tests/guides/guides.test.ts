import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { typeSluice } from '../command-line.ts';
import { type Block, blocksOf, missingLine, readBlocks, saidOf } from './blocks.ts';
import { codeFor, ELSEWHERE, helpOfAll, noFacts, ROWS, typeVerb } from './every-verb.ts';
import { followGuide, GuideWorld } from './world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
// Tokens that a page revokes are good again from the next full second on: that page is the last one.
const REVOKES = 'docs/guides/revoke-tokens.md';
const others = globSync('docs/guides/*.md', { cwd: ROOT, exclude: [REVOKES] }).sort();
const pages = [...others, 'README.md', REVOKES];
const guides = pages.map((page) => ({ page, blocks: readBlocks(ROOT, page) }));
/** What somebody sees whose machine is too busy to count: the page is followed once more then, from its beginning. */
const LIMITER_WAS_AWAY = /the limiter was away/;
/** What the pages count is counted by minutes of the clock: where one ends in between, the page is followed again, too. */
const minuteOfTheClock = () => Math.floor(Date.now() / 60_000);
const isCommands = ({ kind }: Block) => kind === 'commands';
const isSkipped = (block: Block) => saidOf(block, 'skip').length > 0;
const isTyped = (block: Block) => isCommands(block) && !isSkipped(block);

// One gateway for all of them: each begins with the configuration of a clone.
let world: GuideWorld;
beforeAll(async () => {
  world = await GuideWorld.start();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  const all = guides.flatMap(({ blocks }) => blocks).filter(isCommands);
  const skipped = all.filter(isSkipped);
  process.stdout.write(`guides: ${all.length - skipped.length} blocks typed, ${skipped.length} not:\n`);
  for (const block of skipped)
    process.stdout.write(`  ${block.page}:${block.line}  ${saidOf(block, 'skip').join()}\n`);
});

test.each(guides.filter(({ blocks }) => blocks.some(isTyped)))(
  'somebody who types the commands of $page gets what it says',
  async ({ blocks }) => {
    await world.reset();
    const begun = minuteOfTheClock();
    const problems = await followGuide(world, blocks);
    const mayCountOtherwise =
      minuteOfTheClock() !== begun || problems.some((problem) => LIMITER_WAS_AWAY.test(problem));
    if (problems.length === 0 || !mayCountOtherwise) expect(problems.join('\n')).toBe('');
    else {
      await world.reset();
      expect((await followGuide(world, blocks)).join('\n')).toBe('');
    }
  },
);

const facts = noFacts();
test.each(ROWS)('sluice $verb --json says one object a line to a script', async (row) => {
  const { code, said, err } = await typeVerb(world, row, facts);

  expect(said, err).toMatchObject(row.says);
  expect(code, err).toBe(codeFor(row, said));
});

test('every verb is typed above or says where, and its help shows an example and --json', async () => {
  const help = await helpOfAll();

  expect([...help.keys()].sort()).toEqual(
    [...new Set(ROWS.map(({ verb }) => verb)), ...Object.keys(ELSEWHERE)].sort(),
  );
  for (const [verb, text] of help) {
    const word = verb.replace(' print', '');
    expect(text, verb).toMatch(new RegExp(`Example:\\n(?:.*\\n)*? {2}.*sluice ${word} ?`));
    if (verb !== 'completion') expect(text, verb).toContain('--json');
  }
  expect((await typeSluice(['nonsense'])).code).toBe(1);
});

test.each([
  ['bash skp="no docker"', 'guide.md:1: \'skp="no docker"\' is none of skip, exits'],
  ['bash skip', 'guide.md:1: skip says nothing'],
  ['bash skip=" "', 'guide.md:1: skip says nothing'],
  ['yaml skip="not a command" file="a.yml"', 'guide.md:1: it cannot be commands and file at once'],
])('a block that begins with %s is refused: %s', (words, why) => {
  expect(() => blocksOf('guide.md', `\`\`\`${words}\nls\n\`\`\`\n`)).toThrow(why);
});

test('blocks that did not do what the page says are named with their line and what they said', async () => {
  const markdown = [
    ...['```bash', 'VALUE=kept', 'false', '```', ''],
    ...['```bash shows="kept 12"', 'echo "$VALUE 345"', '```', ''],
    ...['```bash shows="lost"', 'curl -s http://localhost:8001/nowhere', '```', ''],
    ...['```bash exits="3"', 'echo r12 differs', '```', ''],
    ...['```text output', 'r7 differs', 'and more', '```', ''],
    ...['```bash skip="it would fail"', 'exit 1', '```', ''],
  ].join('\n');

  const problems = await followGuide(world, blocksOf('guide.md', markdown));

  expect(problems).toEqual([
    expect.stringMatching(/^guide\.md:1 {2}ended with 1: false/),
    expect.stringMatching(/^guide\.md:10 {2}curl was answered 404\n {2}it does not say: lost\n.*Not found/),
    expect.stringMatching(/^guide\.md:14 {2}nothing ended with 3\n/),
    expect.stringMatching(/^guide\.md:18 {2}not said: and more\n/),
  ]);
});

test('what is compared loosely still has its words and their order', () => {
  const said = '✔ live r3 · acknowledged 2/2\n~ services chat (6a0c-44)\n    read_timeout: 60000 → 90000\n';

  expect(missingLine('✔ live r12 · acknowledged 1/1\n~ services chat (…)\n', said)).toBeUndefined();
  expect(missingLine('~ services chat (…)\n✔ live r12 · acknowledged 1/1', said)).toMatch(/^✔ live/);
  expect(missingLine('~ routes chat (…)', said)).toBe('~ routes chat (…)');
});
