import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const key = { id: 'a1', name: 'n', tenant: 'acme', state: 'active', expiresAt: null, lastUsedAt: null };

/** The command line before an Admin API that gives one answer. */
const run = async (args: readonly string[], body: unknown, { status = 200, env = {} } = {}) => {
  const asked: { method?: string; url?: string; body: string; headers: IncomingMessage['headers'] }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers, body: await text(request) });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const said = { out: '', err: '' };
  const collect = (stream: keyof typeof said) =>
    new Writable({
      write(chunk, _encoding, done) {
        said[stream] += String(chunk);
        done();
      },
    });
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const io = { env, cwd: '/', root: '/', out: collect('out'), err: collect('err') };
  const readInput = () => Promise.resolve('');
  const code = await runCli([...args, '--admin', admin], { ...io, readInput });
  server.close();
  return { code, ...said, asked };
};

test('given a key is made, then standard output is the key and nothing else', async () => {
  const made = await run(
    ['keys', 'create', '--tenant', 'acme', '--name', 'n', '--ttl', '60'],
    { key, text: 'slk_x' },
    { status: 201 },
  );
  expect(made).toMatchObject({ code: 0, out: 'slk_x\n' });
  expect(made.asked[0]).toMatchObject({
    method: 'POST',
    url: '/sluice/keys',
    body: '{"tenant":"acme","name":"n","ttlSeconds":60}',
  });
});

test('given SLUICE_ADMIN_TOKEN, then every command that asks the Admin API shows it', async () => {
  const env = { SLUICE_ADMIN_TOKEN: 'secret-token' };
  const asks: [string[], unknown][] = [
    [['keys', 'list', '--tenant', 'a&b'], { data: [key], total: 1 }],
    [['token', 'revocations'], { data: [], total: 0 }],
    [['health'], {}],
  ];
  for (const [args, body] of asks) {
    const { asked, code } = await run(args, body, { env });
    expect(code).toBe(0);
    expect(asked[0]?.headers.authorization).toBe('Bearer secret-token');
  }
  expect((await run(['health'], {})).asked[0]?.headers).not.toHaveProperty('authorization');
});

test('given a role that is too small, then the command says which one it takes', async () => {
  const error = {
    code: 'admin_forbidden',
    message: 'This takes the role admin; eve is viewer.',
    details: {},
  };
  const refused = await run(['keys', 'revoke', 'a1'], { error }, { status: 403 });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(error.message) });
});

test('given a version that is expected, then apply names it and says when another one is in force', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-apply-')), 'kong.yml');
  writeFileSync(file, '_format_version: "3.0"\n');
  const message = 'The configuration is at r9 now; look at it and apply your change to that.';

  const stale = await run(['apply', file, '--expect', '8'], { message }, { status: 409 });

  expect(stale).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  expect(stale.asked[0]?.headers['x-sluice-expected-generation']).toBe('r8');
});
