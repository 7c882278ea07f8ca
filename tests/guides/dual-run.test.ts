import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';
import { call, eventually } from '@sluice/testkit';
import { afterAll, expect, test } from 'vitest';
import { typeSluice } from '../command-line.ts';
import { RunningGateway } from '../gateway.ts';
import { readBlocks } from './blocks.ts';

/*
 * docs/guides/move-from-kong.md as it is written, where guides.test.ts types nothing: its two gateways take ports that
 * may be taken here.
 */
const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = 'docs/guides/move-from-kong.md';
const [FRONT = '', TURNED = ''] = [
  ...readFileSync(join(ROOT, PAGE), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g),
].map(([, text = '']) => text);

const folder = mkdtempSync(join(tmpdir(), 'sluice-dual-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The page's command lines of that verb, word by word: on free ports, and with files and data in places of their own. */
const argsOf = (verb: string): string[][] =>
  readBlocks(ROOT, PAGE)
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith(`npm run -s sluice -- ${verb} `))
    .map((line) =>
      line
        .slice(`npm run -s sluice -- ${verb} `.length)
        .replace(/ --data-dir \S+/, '')
        .split(' ')
        .map((word) => (/^\d{4}$/.test(word) ? '0' : word.replace(/^\w+\.yml$/, join(folder, '$&')))),
    );

/** In Kong's place: it knows no caller either, and has something at a path that the other gateway has not. */
const startKong = async () => {
  const server = createServer((request, response) => {
    const isElsewhere = request.url === '/only-here';
    response.writeHead(isElsewhere ? 200 : 401, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(isElsewhere ? { here: true } : { message: 'Unauthorized', request_id: 'k' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
};

interface Told {
  readonly routes: readonly {
    readonly route: string;
    readonly equal: number;
    readonly different: number;
    readonly failed: number;
    readonly examples: readonly unknown[];
  }[];
}

test('given Kong, when both gateways are started as the page says, then clients get Kong’s answers, and the report tells what is equal and what is not', async () => {
  const imported = await typeSluice(['import', ...(argsOf('import')[0] ?? [])]);
  expect(imported.code, imported.err).toBe(0);
  const [second, front] = argsOf('up');
  const kong = await startKong();
  const { port } = kong.address() as AddressInfo;
  await using tried = await RunningGateway.start(second ?? []);
  writeFileSync(join(folder, 'front.yml'), FRONT.replace('http://127.0.0.1:9000', tried.ready.proxy));
  await using before = await RunningGateway.start(front ?? [], {
    CONNECT_TO: `kong.internal:8000=127.0.0.1:${port}`,
  });

  const ask = (path: string) => call(before.ready.proxy, path);
  const report = async (): Promise<Told['routes'][0] | undefined> => {
    const { out } = await typeSluice(['shadow', '--route', 'all', '--json', '--admin', before.ready.admin]);
    return (JSON.parse(out) as Told).routes[0];
  };

  // One in ten is copied.
  await eventually(async () => {
    for (let n = 0; n < 10; n++) expect((await ask('/v1/workflows')).status).toBe(401);
    return ((await report())?.equal ?? 0) > 2;
  });
  expect(await report()).toMatchObject({ different: 0, failed: 0 });
  await eventually(async () => {
    for (let n = 0; n < 10; n++) expect((await ask('/only-here')).json()).toEqual({ here: true });
    return ((await report())?.different ?? 0) > 0;
  });
  expect((await report())?.examples[0]).toMatchObject({
    method: 'GET',
    differences: expect.arrayContaining([{ kind: 'status', here: 200, there: 404 }]),
  });
  kong.close();
  kong.closeAllConnections();
}, 120_000);

test('the configuration that turns the copies round is one', () => {
  const text = `_format_version: "3.0"\n${TURNED}`;
  expect(loadConfig({ text }, pluginCatalog, { now: 0 })).toMatchObject({ ok: true });
});
