import type { Command } from 'commander';
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

export const addRunning = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'health', 'Exit with 0 when the gateway answers.')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/health.ts')).health(options, io)));
};

export const addObserving = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'explain', 'Say why a request ended as it did, and what can be done.')
    .argument('<id>', 'X-Kong-Request-Id, X-Request-Id or trace id of the answer')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((id, options) =>
      act(async () => (await import('../commands/explain.ts')).explain(id, options, io)),
    );
  newCommand(program, 'trace', 'Show where the time of a recorded request went, over all processes.')
    .argument('[id]', 'trace or request id (default: list the newest traces)')
    .option('--service <name>', 'only traces that this service is in')
    .option('--limit <n>', 'list so many', integerWithin(1, 1000), 20)
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((id, options) => act(async () => (await import('../commands/trace.ts')).trace(id, options, io)));
  newCommand(program, 'tail', 'Show the latest requests and what became of them.')
    .option('--tenant <id>', 'only of this tenant')
    .option('--route <name>', 'only of this route, by name or id')
    .option(
      '--status <code>',
      'only with this status, such as 429, or 4 for all of 4xx',
      integerWithin(1, 599),
    )
    .option('--flagged', 'only those in which prompt-guard saw an attack')
    .option('--limit <n>', 'so many of each edge', integerWithin(1, 500), 20)
    .option('-f, --follow', 'go on with those to come')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/tail.ts')).tail(options, io)));
  newCommand(program, 'top', 'Show who uses the gateway now: tenants, routes, refusals, latency.')
    .option('--seconds <n>', 'sum up so many seconds', integerWithin(1, 600), 10)
    .option('--once', 'one view and no more; --json says so, too')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/top.ts')).top(options, io)));
  newCommand(program, 'shadow', 'Compare the answers of a second gateway with ours, by route.')
    .option('--route <name>', 'only of this route, by name')
    .option('--examples <n>', 'so many differences of each route', integerWithin(0, 20), 5)
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/shadow.ts')).shadow(options, io)));
  newCommand(
    program,
    'doctor',
    'Check every dependency and say what to do; exits with 1 or 3 when something is wrong.',
  )
    .option('--nats <url>', 'NATS server (default: that of the running gateway)', urlWith('nats:', 'tls:'))
    .option(
      '--redis <url>',
      'Redis server (default: that of the running gateway)',
      urlWith('redis:', 'rediss:'),
    )
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/doctor.ts')).doctor(options, io)));
};

export const addAudit = (program: Command, act: Act, io: Surroundings) => {
  const audit = program
    .command('audit')
    .summary('Who did what: list the records, export them, verify their chain.')
    .description('Who did what. Each record holds the hash of the one before it.');
  const reading = (name: string, summary: string) =>
    newCommand(audit, name, summary).addOption(natsOption()).addOption(dataDirOption());
  reading('list', 'The newest records, the newest last.')
    .option('--limit <n>', 'how many (default: 20)', integerWithin(1, 100_000))
    .action((options) => act(async () => (await import('../commands/audit.ts')).list(options, io)));
  reading('export', 'Every record as it is kept, one JSON object a line.')
    .option('--out <file>', 'where to write it (default: standard output)')
    .action((options) => act(async () => (await import('../commands/audit.ts')).exportAll(options, io)));
  reading('verify', 'Exit with 1 when a record was edited, removed, moved or inserted.')
    .option('--file <file>', 'an export instead of the live records')
    .option(
      '--begins-at <n>',
      'the first sequence, once older records have expired (default: 1)',
      integerWithin(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--expect <sequence:hash>', 'a record that must be there, noted at an earlier verify')
    .action((options) => act(async () => (await import('../commands/audit.ts')).verify(options, io)));
};
