import type { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import {
  type Act,
  adminOption,
  dataDirOption,
  integerWithin,
  newCommand,
  percent,
  revision,
  seconds,
} from './options.ts';

const MAX_LISTED = 200;

/** The verbs of the configuration's versions. */
export const addHistory = (program: Command, act: Act, io: Surroundings) => {
  const commands = () => import('../commands/history.ts');
  newCommand(program, 'history', 'List the versions of the configuration: who, when, why, how much.')
    .option('--limit <n>', 'so many, the newest first', integerWithin(1, MAX_LISTED), 20)
    .option('--before <version>', 'only those before this one, as r12', revision)
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await commands()).history(options, io)));
  newCommand(program, 'show', 'Show what a version changed, or all that it was.')
    .argument('<version>', 'as r12 or 12', revision)
    .option('--config', 'the whole configuration as YAML, without secrets')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((version, options) => act(async () => (await commands()).show(version, options, io)));
  newCommand(program, 'diff', 'Say what differs, by entity and field; exit with 2 when anything does.')
    .argument('[source]', 'folder or file against the live configuration (default: config), or a version')
    .argument('[version]', 'the version to compare with (default: the live one)')
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((source, version, options) =>
      act(async () => (await import('../commands/diff.ts')).diff(source, version, options, io)),
    );
  newCommand(program, 'rollback', 'Bring an earlier version back, as a new one.')
    .argument('<version>', 'as r12 or 12', revision)
    .option('-m, --message <text>', 'why, for the history')
    .option('--expect <version>', 'only if this version is in force, as r13', revision)
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((version, options) =>
      act(async () => (await import('../commands/rollback.ts')).rollback(version, options, io)),
    );
};

/** Lets edges try what may become a version. */
export const addCanary = (program: Command, act: Act, io: Surroundings) => {
  newCommand(
    program,
    'canary',
    'Let some edges try a configuration; it goes live, or is dropped when it does worse than what is.',
  )
    .argument('[source]', 'folder or file (default: config)')
    .option('--share <percent>', 'so many of the edges, at least one and never all', percent, 0.25)
    .option('--for <duration>', 'how long, as 60s or 5m', seconds, 60)
    .option('--abort', 'drop the one that is tried now')
    .option('--promote', 'make the one that is tried now live before its time is over')
    .option('--min-requests <n>', 'of fewer nothing is concluded', integerWithin(1, 1_000_000), 20)
    .option('-m, --message <text>', 'why, for the history')
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((source, options) =>
      act(async () => (await import('../commands/canary.ts')).canary(source, options, io)),
    );
};
