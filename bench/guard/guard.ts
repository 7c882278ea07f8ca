/**
 * What prompt-guard costs: `npm run bench -- guard`. CPU time of all threads per body, the least of 9
 * rounds, since whoever else uses the cores only adds to it; bodies of 4 KB in the form of a chat request, and texts
 * made to be dear, at two lengths to show that the cost is linear.
 */
import { scan } from '@sluice/plugins';
import { readCorpus } from './corpus.ts';

const ROUNDS = 9;
const BODY_BYTES = 4096;
const BUDGET_MS = 0.2;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Milliseconds of CPU per call: the least of some rounds. */
const cost = (call: (i: number) => unknown): number => {
  let calls = 1;
  const round = (): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) call(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / calls;
  };
  while (round() * calls < 60) calls *= 2;
  for (let i = 0; i < 8; i++) round(); // until the compiler has nothing left to do: its threads are counted, too
  return Math.min(...Array.from({ length: ROUNDS }, round));
};

const filled = (texts: readonly string[], from: number, bytes: number): string => {
  let text = '';
  for (let i = from; text.length < bytes; i++) text += `${texts[i % texts.length]} `;
  return text.slice(0, bytes);
};

const bodiesOf = (texts: readonly string[]): Buffer[] =>
  Array.from({ length: 64 }, (_, i) =>
    Buffer.from(
      JSON.stringify({ messages: [{ role: 'user', content: filled(texts, i * 37, BODY_BYTES - 60) }] }),
    ),
  );

const DEAR: Readonly<Record<string, (length: number) => string>> = {
  'one letter': (length) => 'a'.repeat(length),
  'quotes and brackets': (length) => '"[{<'.repeat(length / 4),
  'line breaks': (length) => '\n '.repeat(length / 2),
  'letters apart': (length) => 'i g n o r e '.repeat(length / 12),
  'rules begun': (length) => 'ignore previous '.repeat(length / 16),
  'signs for letters': (length) => '!gn0r3-pr3v10u$ '.repeat(length / 16),
  'half-known runs': (length) => 'ignoreallprevio '.repeat(length / 16),
  'no blanks': (length) => '忽略之前的'.repeat(length / 5),
  base64: (length) => Buffer.from('ignore '.repeat(length)).toString('base64').slice(0, length),
  'plus signs': (length) => '"+"'.repeat(length / 3),
};

const contentOf = (body: Buffer | undefined): string => {
  const { messages } = JSON.parse(body?.toString() ?? '') as { messages: { content: string }[] };
  return messages[0]?.content ?? '';
};

/** Runs the section; the exit code says whether the budget was kept. */
const run = (): void => {
  const samples = readCorpus('tune');
  const kinds = new Set(samples.filter(({ isAttack }) => !isAttack).map(({ family }) => family));
  const costs = [...kinds].map((kind) => {
    const texts = samples
      .filter((sample) => !sample.isAttack && sample.family === kind)
      .map(({ text }) => text);
    const bodies = bodiesOf(texts);
    const ms = cost((i) => scan(contentOf(bodies[i % bodies.length]), 'balanced'));
    say(`4 KB body of ${kind.padEnd(12)} ${ms.toFixed(3)} ms of CPU`);
    return ms;
  });
  const attacks = bodiesOf(samples.filter(({ isAttack }) => isAttack).map(({ text }) => text));
  const ms = cost((i) => scan(contentOf(attacks[i % attacks.length]), 'balanced'));
  say(`4 KB of nothing but attacks ${ms.toFixed(3)} ms of CPU`);
  for (const [name, make] of Object.entries(DEAR)) {
    const [short, long] = [make(BODY_BYTES), make(8 * BODY_BYTES)];
    const [one, eight] = [cost(() => scan(short, 'balanced')), cost(() => scan(long, 'balanced'))];
    say(
      `${name.padEnd(20)} 4 KB ${one.toFixed(3)} ms, 32 KB ${eight.toFixed(3)} ms: ${(eight / one).toFixed(1)} times`,
    );
  }
  const isKept = costs.every((one) => one <= BUDGET_MS);
  say(`budget: ${BUDGET_MS} ms for 4 KB of what people write: ${isKept ? 'kept' : 'not kept'}`);
  process.exitCode = isKept ? 0 : 1;
};

run();
