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

const MAX_KEY_TTL = 316_224_000; // ten years
const MAX_GRACE = 2_592_000; // thirty days
const MAX_QUOTAS_LISTED = 200; // as the Admin API answers at once

export const addToken = (program: Command, act: Act, io: Surroundings) => {
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
    .action((options) => act(async () => (await import('../commands/token.ts')).token(options, io)));
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
    .action((options) => act(async () => (await import('../commands/revoke.ts')).revoke(options, io)));
  newCommand(token, 'revocations', 'List what is revoked, the newest first.')
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/revoke.ts')).revocations(options, io)));
};

export const addKeys = (program: Command, act: Act, io: Surroundings) => {
  const summary = 'Create, list, rotate and revoke API keys of tenants.';
  const keys = program.command('keys').summary(summary).description(summary);
  const commands = () => import('../commands/keys.ts');
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

export const addQuota = (program: Command, act: Act, io: Surroundings) => {
  const quota = program
    .command('quota')
    .summary('List tenants by what they have used; bring dead letters back; compare Redis with the streams.');
  newCommand(quota, 'list', 'List tenants by how much of their quota they have used.')
    .addOption(
      new Option('--show <which>', 'past the alert line, beyond the limit, or of a period that is over')
        .choices(['all', 'alert', 'exceeded', 'stale'])
        .default('all'),
    )
    .option('--search <text>', 'only tenants with this in their name')
    .option('--limit <n>', 'at most so many (default: 50)', integerWithin(1, MAX_QUOTAS_LISTED), 50)
    .addOption(adminOption())
    .addOption(dataDirOption())
    .action((options) =>
      act(async () => (await import('../commands/quota-list.ts')).listQuotas(options, io)),
    );
  newCommand(quota, 'replay', 'Show dead letters, and with --apply publish them again as they were.')
    .option('--reason <word>', 'only those given up for this reason')
    .option('--tenant <id>', 'only those of this tenant')
    .option('--sequence <n>', 'only this place in DEADLETTER, or a range such as 7-20')
    .option('--apply', 'publish; without it nothing is changed')
    .addOption(natsOption())
    .addOption(dataDirOption())
    .action((options) => act(async () => (await import('../commands/quota-replay.ts')).replay(options, io)));
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
      act(async () => (await import('../commands/quota-reconcile.ts')).reconcile(options, io)),
    );
};
