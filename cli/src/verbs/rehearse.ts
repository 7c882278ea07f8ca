import { type Command, InvalidArgumentError } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { type Act, adminOption, dataDirOption, integerWithin, newCommand } from './options.ts';

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** `90s`, `15m` or `2h` in seconds. */
const duration =
  (maxSeconds: number) =>
  (text: string): number => {
    const [, count = '', unit = 's'] = /^(\d{1,6})([smh])?$/.exec(text) ?? [];
    const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
    if (count !== '' && seconds > 0 && seconds <= maxSeconds) return seconds;
    throw new InvalidArgumentError(`Give a time such as 90s, 15m or 2h, at most ${maxSeconds} s.`);
  };

const MAX_SINCE = 6 * 3600;
const MAX_DEMO = 3600;

/** The verbs that show what would happen. */
export const addRehearsing = (program: Command, act: Act, io: Surroundings) => {
  newCommand(
    program,
    'simulate',
    'Say which of the latest requests a configuration would treat otherwise; exits with 2 when there are any.',
  )
    .argument('[source]', 'folder or file (default: config)')
    .option('--since <time>', 'requests of this long: 90s, 15m, 2h', duration(MAX_SINCE), 900)
    .option('--each', 'with --json: every request, not only sums by tenant')
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((source, options) =>
      act(async () => (await import('../commands/simulate.ts')).simulate(source, options, io)),
    );
  newCommand(
    program,
    'demo',
    'Drive three tenants for a minute: a limit, a quota, an upstream that fails, a canary that is dropped; leaves no trace in the configuration.',
  )
    .option('--for <time>', 'how long: 30s, 2m', duration(MAX_DEMO), 60)
    .option('--rate <n>', 'requests a second', integerWithin(1, 500), 20)
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/demo.ts')).demo(options, io)));
};
