import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EchoUpstream } from './echo-upstream.ts';
import { routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

/* What references to the env vault stand for, seen in what a plugin sends (kong-compat 1.1). */

let world: World;
let receiver: EchoUpstream;
beforeAll(async () => {
  receiver = await EchoUpstream.start('receiver');
  world = await World.start({
    LOG_TOKEN: 'of-the-environment',
    TEAM_LOG_TOKEN: 'of-the-team',
    OTHER_LOG_TOKEN: 'of-another',
    TEAM_LOGIN: JSON.stringify({ user: 'ann', port: 7, nested: {} }),
    LOG_URL: `http://127.0.0.1:${receiver.port}/by-url`,
  });
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const team = (prefix: string): Document => ({ prefix: 'team', name: 'env', config: { prefix } });
const logger = (name: string, token: string, over: Document = {}): Document => ({
  name: 'http-log',
  config: {
    http_endpoint: `http://127.0.0.1:${receiver.port}/${name}`,
    headers: { 'X-Token': token },
    ...over,
  },
});
const load = (plugins: Readonly<Record<string, Document>>, vaults: readonly Document[]) =>
  world.load({
    vaults,
    services: [
      world.service(
        'echo',
        Object.entries(plugins).map(([name, plugin]) => routeWith(name, [plugin])),
      ),
    ],
  });
/** What the newest record of a route was sent with. */
const tokenOf = async (name: string): Promise<string | undefined> => {
  const before = receiver.seen.length;
  await world.ask(`/${name}`);
  return eventually(() => {
    const sent = receiver.seen.slice(before).find(({ url }) => url === `/${name}`);
    if (sent === undefined) throw new Error(`nothing was sent to /${name}`);
    return sent.headers['x-token'];
  });
};

const REFERENCES: readonly (readonly [name: string, reference: string, token: string])[] = [
  ['environment', '{vault://env/log-token}', 'of-the-environment'],
  ['underscores', '{vault://env/LOG_TOKEN}', 'of-the-environment'],
  ['of-a-vault', '{vault://team/log-token}', 'of-the-team'],
  ['key', '{vault://team/login/user}', 'ann'],
  ['number', '{vault://team/login/port}', '7'],
  ['no-key', '{vault://team/login/nobody}', ''],
  ['no-text', '{vault://team/login/nested}', ''],
  ['no-object', '{vault://team/log-token/user}', ''],
  ['unset', '{vault://env/not-there}', ''],
  ['no-vault', '{vault://nobody/log-token}', ''],
  ['plain', 'just {text}', 'just {text}'],
];

test('given references, then each is what its variable says, and empty where there is none', async () => {
  const plugins = REFERENCES.map(([name, reference]) => [name, logger(name, reference)] as const);
  await load(Object.fromEntries(plugins), [team('team_')]);
  for (const [name, , token] of REFERENCES) expect(await tokenOf(name), name).toBe(token);
});

test('given a reference for a URL, then records go there, and the Admin API shows the reference', async () => {
  await load({ 'by-url': logger('by-url', 'x', { http_endpoint: '{vault://env/log-url}' }) }, []);
  expect(await tokenOf('by-url')).toBe('x');
  const { data } = (await world.admin('/plugins')).json<{ data: { config: Document }[] }>();
  expect(data[0]?.config.http_endpoint).toBe('{vault://env/log-url}');
  expect((await world.admin('/config')).text).not.toContain(`${receiver.port}/by-url`);
});

test('given a vault that comes, changes and goes, then its references change with it', async () => {
  await load({ moving: logger('moving', '{vault://team/log-token}') }, []);
  expect(await tokenOf('moving')).toBe('');

  await world.post('/vaults', team('team_'));
  expect(await tokenOf('moving')).toBe('of-the-team');

  await world.post('/vaults/team', { config: { prefix: 'OTHER_' } }, 'PATCH');
  expect(await tokenOf('moving')).toBe('of-another');

  await world.admin('/vaults/team', { method: 'DELETE' });
  expect(await tokenOf('moving')).toBe('');
});
