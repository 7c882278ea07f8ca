import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type Surroundings } from './surroundings.ts';

const MAX_PORT = 65_535;
const MAX_KEY_TTL = 316_224_000; // ten years
const MAX_GRACE = 2_592_000; // thirty days

const REDIS_SCHEMES = ['redis:', 'rediss:', 'redis+sentinel:', 'redis+cluster:'];

const integerWithin =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };

const tlsPort = (text: string): number | 'off' => (text === 'off' ? text : integerWithin(0, MAX_PORT)(text));

const urlWith =
  (...protocols: string[]) =>
  (text: string): string => {
    // Several servers are separated by commas: the first one's scheme speaks for all.
    const [first = '', ...others] = text.split(',');
    const protocol = URL.parse(first)?.protocol;
    if (protocol !== undefined && protocols.includes(protocol) && !others.includes('')) return text;
    throw new InvalidArgumentError(
      `Give a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}.`,
    );
  };

type Act = (run: () => Promise<number>) => Promise<void>;

const newCommand = (program: Command, name: string, summary: string) =>
  program.command(name).summary(summary).description(summary).option('--json', 'JSON instead of text');

const natsOption = () =>
  new Option('--nats <url>', 'the bus (default: that of the running gateway)').argParser(
    urlWith('nats:', 'tls:'),
  );

const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where the running gateway keeps its data (default: .local)');
const adminOption = () =>
  new Option('--admin <url>', 'Admin API (default: that of the running gateway)').argParser(
    urlWith('http:', 'https:'),
  );

const addUp = (program: Command, act: Act, io: Surroundings) =>
  newCommand(program, 'up', 'Start the gateway: NATS, Redis, the five services.')
    .option('--demo', 'also demo upstreams, a development OIDC issuer and sample quotas')
    .option('--no-demo', 'none of these')
    .option('--config <source>', 'DIR, FILE or none (default: config, when it is there)')
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
    .option('--nats <url>', 'use this NATS server', urlWith('nats:', 'tls:'))
    .option(
      '--redis <url>',
      'use this Redis server, these sentinels or this cluster',
      urlWith(...REDIS_SCHEMES),
    )
    .option('--edges <n>', 'edge processes that share the proxy port', integerWithin(1, 64), 1)
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

const addToken = (program: Command, act: Act, io: Surroundings) => {
  const summary = 'Print a token of the demo issuer; revoke tokens; list what is revoked.';
  const token = program.command('token').summary(summary).description(summary);
  // `sluice token --tenant …` is older than the other two.
  token
    .command('print', { isDefault: true })
    .summary('Print a token of the demo issuer.')
    .description('Print a token of the demo issuer, and nothing else.')
    .option('--json', 'JSON instead of text')
    .requiredOption('--tenant <id>', 'tenant the token speaks for')
    .requiredOption('--user <id>', 'user the token speaks for')
    .option('--platform <id>', 'platform the token speaks for')
    .option('--ttl <seconds>', 'how long it is valid (default: 3600)', integerWithin(1, 31_536_000))
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/token.ts')).token(options, io)));
  newCommand(token, 'revoke', 'Refuse tokens everywhere from now on, although they verify.')
    .option('--sub <id>', 'tokens with this claim sub')
    .option('--jti <id>', 'the token with this claim jti')
    .option('--tenant <id>', 'tokens that speak for this tenant')
    .option('--kid <id>', 'tokens signed with the key of this kid')
    .option('--consumer <id>', 'tokens of this consumer, by id or username')
    .option('--token <jwt>', 'this token; - reads it from standard input')
    .option('--issuer <iss>', 'only tokens with this claim iss (--token: that of the token)')
    .option('--before <instant>', 'only tokens issued before it, as 2026-01-31T12:00:00Z (default: now)')
    .option('-m, --message <text>', 'why, for the list')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/revoke.ts')).revoke(options, io)));
  newCommand(token, 'revocations', 'List what is revoked, the newest first.')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/revoke.ts')).revocations(options, io)));
};

const addAudit = (program: Command, act: Act, io: Surroundings) => {
  const audit = program
    .command('audit')
    .summary('Who did what: list the records, export them, verify their chain.')
    .description('Who did what. Each record holds the hash of the one before it.');
  const reading = (name: string, summary: string) =>
    newCommand(audit, name, summary).addOption(natsOption()).addOption(dataDirOption());
  reading('list', 'The newest records, the newest last.')
    .option('--limit <n>', 'how many (default: 20)', integerWithin(1, 100_000))
    .action((options) => act(async () => (await import('./commands/audit.ts')).list(options, io)));
  reading('export', 'Every record as it is kept, one JSON object a line.')
    .option('--out <file>', 'where to write it (default: standard output)')
    .action((options) => act(async () => (await import('./commands/audit.ts')).exportAll(options, io)));
  reading('verify', 'Exit with 1 when a record was edited, removed, moved or inserted.')
    .option('--file <file>', 'an export instead of the live records')
    .option(
      '--begins-at <n>',
      'the first sequence, once older records have expired (default: 1)',
      integerWithin(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--expect <sequence:hash>', 'a record that must be there, noted at an earlier verify')
    .action((options) => act(async () => (await import('./commands/audit.ts')).verify(options, io)));
};

const addQuota = (program: Command, act: Act, io: Surroundings) => {
  const quota = program
    .command('quota')
    .summary('Bring dead letters back; prove that Redis holds what the streams say.');
  newCommand(quota, 'replay', 'Show dead letters, and with --apply publish them again as they were.')
    .option('--reason <word>', 'only those given up for this reason')
    .option('--tenant <id>', 'only those of this tenant')
    .option('--sequence <n>', 'only this place in DEADLETTER, or a range such as 7-20')
    .option('--apply', 'publish; without it nothing is changed')
    .addOption(natsOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/quota-replay.ts')).replay(options, io)));
  newCommand(quota, 'reconcile', 'Compare Redis with the streams; exit with 2 when they differ.')
    .option('--prefix <text>', 'before the tenant in the keys of Redis (default: quota:tenant:)')
    .addOption(natsOption())
    .addOption(
      new Option('--redis <url>', 'Redis (default: REDIS_URL, else that of the running gateway)').argParser(
        urlWith('redis:', 'rediss:'),
      ),
    )
    .addOption(dataDirOption())
    .action((options) =>
      act(async () => (await import('./commands/quota-reconcile.ts')).reconcile(options, io)),
    );
};

const addKeys = (program: Command, act: Act, io: Surroundings) => {
  const summary = 'Create, list, rotate and revoke API keys of tenants.';
  const keys = program.command('keys').summary(summary).description(summary);
  const commands = () => import('./commands/keys.ts');
  newCommand(keys, 'create', 'Make a key and print it: it is shown this once.')
    .requiredOption('--tenant <id>', 'tenant the key speaks for')
    .requiredOption('--name <text>', 'what it is for, for the list')
    .option('--platform <id>', 'platform the key speaks for')
    .option('--ttl <seconds>', 'when it ends (default: never)', integerWithin(1, MAX_KEY_TTL))
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await commands()).createKey(options, io)));
  newCommand(keys, 'list', 'List keys, the newest first.')
    .option('--tenant <id>', 'only those of this tenant')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await commands()).listKeys(options, io)));
  newCommand(keys, 'rotate', 'Make a key in the place of another, and print it.')
    .argument('<id>', 'the key, as the list shows it')
    .option(
      '--grace <seconds>',
      'how long the old key is still taken (default: 86400); 0 revokes it',
      integerWithin(0, MAX_GRACE),
    )
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((id, options) => act(async () => (await commands()).rotateKey(id, options, io)));
  newCommand(keys, 'revoke', 'Refuse a key everywhere from now on.')
    .argument('<id>', 'the key, as the list shows it')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((id, options) => act(async () => (await commands()).revokeKey(id, options, io)));
};

const addRunning = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'health', 'Exit with 0 when the gateway answers.')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/health.ts')).health(options, io)));
};

const addObserving = (program: Command, act: Act, io: Surroundings) => {
  newCommand(program, 'explain', 'Say why a request ended as it did, and what can be done.')
    .argument('<id>', 'X-Kong-Request-Id, X-Request-Id or trace id of the answer')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((id, options) =>
      act(async () => (await import('./commands/explain.ts')).explain(id, options, io)),
    );
  newCommand(program, 'tail', 'Show the latest requests and what became of them.')
    .option('--tenant <id>', 'only of this tenant')
    .option('--route <name>', 'only of this route, by name or id')
    .option(
      '--status <code>',
      'only with this status, such as 429, or 4 for all of 4xx',
      integerWithin(1, 599),
    )
    .option('--limit <n>', 'so many of each edge', integerWithin(1, 500), 20)
    .option('-f, --follow', 'go on with those to come')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/tail.ts')).tail(options, io)));
  newCommand(program, 'top', 'Show who uses the gateway now: tenants, routes, refusals, latency.')
    .option('--seconds <n>', 'sum up so many seconds', integerWithin(1, 600), 10)
    .option('--once', 'one view and no more; --json says so, too')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('./commands/top.ts')).top(options, io)));
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
    .action((options) => act(async () => (await import('./commands/doctor.ts')).doctor(options, io)));
};

/** Runs one command line and returns its exit code. */
export const runCli = async (args: readonly string[], io: Surroundings): Promise<number> => {
  let exitCode: number = EXIT.ok;
  const act: Act = async (run) => {
    exitCode = await run();
  };
  const program = new Command('sluice')
    .description('API gateway for multi-tenant AI platforms.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) });
  addUp(program, act, io);
  addConfiguration(program, act, io);
  addImport(program, act, io);
  addToken(program, act, io);
  addAudit(program, act, io);
  addQuota(program, act, io);
  addKeys(program, act, io);
  addRunning(program, act, io);
  addObserving(program, act, io);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.invalid;
    throw error;
  }
  return exitCode;
};
