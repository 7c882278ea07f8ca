import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const shown = {
  by: 'subject',
  value: 'user-1',
  notBefore: '2026-01-02T03:04:05.000Z',
  revokedAt: '2026-01-02T03:04:04.200Z',
  revokedBy: 'olga',
};
const confirmed = { edges: { live: 2, confirmed: 2 }, auth: { live: 1, confirmed: 1 }, missing: [] };
const revoked = { revocation: shown, isNew: true, confirmation: confirmed };

/** The command line before an Admin API that gives one answer. */
const start = async ({ status = 201, body = revoked as unknown, input = '' } = {}) => {
  const asked: { method: string | undefined; url: string | undefined; body: unknown }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url } = request;
    const sent = await text(request);
    asked.push({ method, url, body: sent === '' ? undefined : JSON.parse(sent) });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    run: async (...args: string[]) => {
      const said = { out: '', err: '' };
      const collect = (stream: keyof typeof said) =>
        new Writable({
          write(chunk, _encoding, done) {
            said[stream] += String(chunk);
            done();
          },
        });
      const io = { env: {}, cwd: '/', root: '/', out: collect('out'), err: collect('err') };
      const readInput = () => Promise.resolve(input);
      return { code: await runCli(['token', ...args, '--admin', admin], { ...io, readInput }), ...said };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
};

const tokenOf = (claims: unknown): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'sig']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

test.each([
  [['--sub', 'u'], { by: 'subject', value: 'u' }],
  [['--jti', 'j'], { by: 'jti', value: 'j' }],
  [['--tenant', 't', '-m', 'left us'], { by: 'tenant', value: 't', reason: 'left us' }],
  [['--kid', 'k', '--issuer', 'i'], { by: 'kid', value: 'k', issuer: 'i' }],
  [
    ['--consumer', 'c', '--before', '2026-01-02T05:04:05+02:00'],
    { by: 'consumer', value: 'c', notBefore: '2026-01-02T03:04:05.000Z' },
  ],
  [['--token', tokenOf({ jti: 'j', sub: 's', iss: 'i' })], { by: 'jti', value: 'j', issuer: 'i' }],
  [
    ['--token', tokenOf({ sub: 's', iat: 1_767_323_045 })],
    { by: 'subject', value: 's', notBefore: '2026-01-02T03:04:06.000Z' },
  ],
])('given %j, then the Admin API is asked for just that', async (args, body) => {
  await using cli = await start();
  expect(await cli.run('revoke', ...args)).toMatchObject({ code: 0, err: '' });
  expect(cli.asked).toEqual([{ method: 'POST', url: '/sluice/revocations', body }]);
});

test('given a token on standard input, then it is read from there', async () => {
  await using cli = await start({ input: `${tokenOf({ jti: 'j' })}\n` });
  expect(await cli.run('revoke', '--token', '-')).toMatchObject({ code: 0 });
  expect(cli.asked[0]?.body).toEqual({ by: 'jti', value: 'j' });
});

test.each([
  [[], 'exactly one of --sub'],
  [['--sub', 'u', '--tenant', 't'], 'exactly one of --sub'],
  [['--sub', 'u', '--before', 'yesterday'], '--before: give an instant'],
  [['--token', 'canary'], '--token: this is no JSON Web Token'],
  [['--token', tokenOf('canary')], '--token: this is no JSON Web Token'],
  [['--token', tokenOf({ iss: 'canary' })], 'neither jti nor sub'],
])(
  'given %j, then the mistake is named, nothing is asked and nothing of a token is repeated',
  async (args, problem) => {
    await using cli = await start();
    const { code, out, err } = await cli.run('revoke', ...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(problem);
    expect(err).not.toContain('canary');
    expect(cli.asked).toEqual([]);
  },
);

test('when all have confirmed, then it says so in plain words, or as JSON', async () => {
  await using cli = await start();
  expect((await cli.run('revoke', '--sub', 'user-1')).out).toBe(
    '✔ revoked tokens of subject user-1 issued before 2026-01-02T03:04:05.000Z · in force on 2 of 2 edges and 1 of 1 auth processes\n',
  );
  expect(JSON.parse((await cli.run('revoke', '--json', '--sub', 'user-1')).out)).toEqual(revoked);
});

test('given an edge that has not confirmed, then it is named and the exit code tells', async () => {
  const confirmation = { ...confirmed, edges: { live: 2, confirmed: 1 }, missing: ['edge-2'] };
  await using cli = await start({ status: 200, body: { ...revoked, isNew: false, confirmation } });
  const { code, out, err } = await cli.run('revoke', '--sub', 'user-1');
  expect(code).toBe(3);
  expect(out).toContain('was revoked already: tokens of subject user-1');
  expect(err).toContain('not confirmed by edge-2');
});

test.each([
  [400, 1],
  [503, 3],
])(
  'given the Admin API answers %d, then its words are shown and the exit code is %d',
  async (status, code) => {
    await using cli = await start({
      status,
      body: { error: { code: 'x', message: 'because', details: {} } },
    });
    expect(await cli.run('revoke', '--sub', 'u')).toMatchObject({ code, err: '✖ because\n' });
  },
);

test('given no gateway, then the remedy is named', async () => {
  const { run, ...cli } = await start();
  await cli[Symbol.asyncDispose]();
  const { code, err } = await run('revocations');
  expect(code).toBe(3);
  expect(err).toContain('start the gateway with npm start, or give --admin');
});

test('the list is one line for each, the newest first as the Admin API gives it', async () => {
  const data = [shown, { ...shown, by: 'jti', value: 'j', issuer: 'i', reason: 'leaked' }];
  await using cli = await start({ status: 200, body: { data, total: 3 } });
  expect((await cli.run('revocations')).out).toBe(
    [
      '2026-01-02T03:04:04.200Z  olga  tokens of subject user-1 issued before 2026-01-02T03:04:05.000Z',
      '2026-01-02T03:04:04.200Z  olga  the token j of i · leaked',
      '… and 1 older ones\n',
    ].join('\n'),
  );
  expect(cli.asked).toEqual([{ method: 'GET', url: '/sluice/revocations', body: undefined }]);
});
