import { type Command, Option } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import {
  type Act,
  adminOption,
  dataDirOption,
  integerWithin,
  natsOption,
  newCommand,
  urlWith,
} from './options.ts';

const MAX_BURST = 100_000;
const MAX_AT_ONCE = 256;

/** The verbs that try a thing out, and those that look at who is there. */
export const addTryingOut = (program: Command, act: Act, io: Surroundings) => {
  const collected = (line: string, before: readonly string[]) => [...before, line];
  newCommand(program, 'burst', 'Send many requests to the gateway and sum up its answers.')
    .argument('<path>', 'path, and query if there is one')
    .option('--count <n>', 'so many requests', integerWithin(1, MAX_BURST), 100)
    .option('--at-once <n>', 'so many at a time', integerWithin(1, MAX_AT_ONCE), 8)
    .option('--token <jwt>', 'sent as Authorization: Bearer')
    .option('--tenant <id>', 'sent as X-Tenant-Id')
    .option('--header <line>', "another header, as 'Name: value'; may come again", collected, [])
    .addOption(
      new Option('--proxy <url>', 'where clients connect (default: that of the running gateway)').argParser(
        urlWith('http:', 'https:'),
      ),
    )
    .addOption(dataDirOption())
    .action((path, options) =>
      act(async () => (await import('../commands/burst.ts')).burst(path, options, io)),
    );
  newCommand(program, 'guard', 'Judge a text as prompt-guard does; exits with 2 for an attack.')
    .argument('<text>', 'the text; - reads it from standard input')
    .addOption(
      new Option('--sensitivity <level>', 'how easily a text is taken for an attack')
        .choices(['balanced', 'strict'])
        .default('balanced'),
    )
    .action((text, options) =>
      act(async () => (await import('../commands/guard.ts')).guard(text, options, io)),
    );
  newCommand(program, 'limits', 'Show how a tenant stands with its limits and quotas.')
    .argument('<tenant>', 'its id')
    .option('--route <name>', 'only of this route, by name or id')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((tenant, options) =>
      act(async () => (await import('../commands/limits.ts')).limits(tenant, options, io)),
    );
  newCommand(program, 'services', 'List every process on the bus, what it answers and how that went.')
    .addOption(natsOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/services.ts')).services(options, io)));
};
