import { Command, CommanderError, Option } from 'commander';
import { EXIT, type Surroundings } from './surroundings.ts';
import { showExamples } from './verbs/examples.ts';
import { addCanary, addHistory } from './verbs/history.ts';
import { addAudit, addObserving, addRunning } from './verbs/observe.ts';
import {
  type Act,
  adminOption,
  dataDirOption,
  integerWithin,
  ipAddress,
  MAX_PORT,
  newCommand,
  REDIS_SCHEMES,
  revision,
  tlsPort,
  urlWith,
} from './verbs/options.ts';
import { addRehearsing } from './verbs/rehearse.ts';
import { addStart } from './verbs/start.ts';
import { addKeys, addQuota, addToken } from './verbs/tenants.ts';
import { addTryingOut } from './verbs/try-out.ts';

const addUp = (program: Command, act: Act, io: Surroundings) =>
  newCommand(program, 'up', 'Start the gateway: NATS, Redis, the five services.')
    .option('--demo', 'also demo upstreams, a development OIDC issuer and sample quotas')
    .option('--no-demo', 'none of these')
    .option(
      '--config <source>',
      'DIR, FILE or none (default: DECLARATIVE_CONFIG, or config, when it is there)',
    )
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .option(
      '--proxy-port <port>',
      'where clients connect; 0: any free port',
      integerWithin(0, MAX_PORT),
      8000,
    )
    .option('--admin-port <port>', 'Admin API; 0: any free port', integerWithin(0, MAX_PORT), 8001)
    .option(
      '--tls-port <port>',
      'where clients connect by TLS (default: 8443 beside 8000); 0 or off',
      tlsPort,
    )
    .option('--admin-tls-port <port>', 'Admin API by TLS (default: 8444 beside 8001); 0 or off', tlsPort)
    .option('--host <address>', 'address of both; others are on the loopback', ipAddress, '127.0.0.1')
    .option(
      '--nats <url>',
      'use this NATS server (default: NATS_URL, else one of its own)',
      urlWith('nats:', 'tls:'),
    )
    .option(
      '--redis <url>',
      'use this Redis server, these sentinels or this cluster (default: REDIS_URL or REDIS_HOST, else one of its own)',
      urlWith(...REDIS_SCHEMES),
    )
    .option(
      '--edges <n>',
      'edge processes that share the proxy port (default: 1; with --demo 2, where a port can be shared)',
      integerWithin(1, 64),
    )
    .option('--data-dir <dir>', 'data, logs and sockets (default: .local)')
    .addOption(
      new Option('--restart <when>', 'what to do when a process ends by itself')
        .choices(['always', 'never'])
        .default('always'),
    )
    .action((options) => act(async () => (await import('./commands/up.ts')).up(options, io)));

const addConfiguration = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'build', 'Merge a configuration folder into its kong.yml.')
    .argument('[dir]', 'folder with services/, routes/, plugins/, consumers/ (default: config)')
    .action((dir, options) => act(async () => (await import('./commands/build.ts')).build(dir, options, io)));
  newCommand(program, 'check', 'Say whether a configuration is valid, and where it is not.')
    .argument('[source]', 'folder or file (default: config)')
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .action((source, options) =>
      act(async () => (await import('./commands/check.ts')).check(source, options, io)),
    );
  newCommand(program, 'apply', 'Make a configuration the live one.')
    .argument('[source]', 'folder or file (default: config)')
    .option('-m, --message <text>', 'why, for the history')
    .option('--expect <version>', 'only if this version is in force, as r12', revision)
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((source, options) =>
      act(async () => (await import('./commands/apply.ts')).apply(source, options, io)),
    );
};

const addImport = (program: Command, act: Act, io: Surroundings) => {
  const from = program
    .command('import')
    .summary('Make a configuration out of another gateway’s, and say what became of each part.');
  newCommand(from, 'kong', 'Read a declarative file of Kong, a dump of decK or an export of Kong’s database.')
    .argument('<file>', 'kong.yml, kong.yaml or JSON')
    .option('--out <file>', 'where the result is written; YAML, or JSON for a name that ends so')
    .option('--plugins <dir>', 'your own plugins, or none (default: plugins, when it is there)')
    .action((file, options) =>
      act(async () => (await import('./commands/import.ts')).importFrom(file, options, io)),
    );
};

const addContracts = (program: Command, act: Act, io: Surroundings) => {
  const group = program.command('contracts').summary('What the processes say to each other on NATS.');
  newCommand(
    group,
    'check',
    'Say what processes of this version and of the last release would misunderstand.',
  )
    .option('--against <file>', "a release's AsyncAPI document (default: that of the last release)")
    .action((options) =>
      act(async () => (await import('./commands/contracts.ts')).checkContracts(options, io)),
    );
};

/** The command line with all its verbs; `act` is given what a verb does. */
export const newProgram = (act: Act, io: Surroundings): Command => {
  const program = new Command('sluice')
    .description('API gateway for multi-tenant AI platforms.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) });
  addUp(program, act, io);
  addStart(program, act, io);
  addConfiguration(program, act, io);
  addHistory(program, act, io);
  addCanary(program, act, io);
  addImport(program, act, io);
  addRehearsing(program, act, io);
  addTryingOut(program, act, io);
  addContracts(program, act, io);
  addToken(program, act, io);
  addAudit(program, act, io);
  addQuota(program, act, io);
  addKeys(program, act, io);
  addRunning(program, act, io);
  addObserving(program, act, io);
  showExamples(program);
  return program;
};

/** Runs one command line and returns its exit code. */
export const runCli = async (args: readonly string[], io: Surroundings): Promise<number> => {
  let exitCode: number = EXIT.ok;
  const act: Act = async (run) => {
    exitCode = await run();
  };
  try {
    await newProgram(act, io).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.invalid;
    throw error;
  }
  return exitCode;
};
