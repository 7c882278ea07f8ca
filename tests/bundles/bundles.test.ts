import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT, readDockerfile } from './dockerfile.ts';
import { AS_IT_SHOULD, Fleet } from './fleet.ts';
import { codeBytes, ImageLayout, SERVICES } from './image.ts';
import { canSeal } from './sealed-root.ts';

const MAX_CODE_BYTES = 5_000_000;
let images: ImageLayout;
beforeAll(async () => {
  images = await ImageLayout.of();
});
afterAll(() => images[Symbol.dispose]());

const README = readFileSync(join(ROOT, 'deploy', 'README.md'), 'utf8');
test.for(SERVICES)('%s is less than 5 MB of code, and about as much as deploy/README.md says', (service) => {
  const bytes = codeBytes(images.appOf(service));
  expect(bytes).toBeLessThan(MAX_CODE_BYTES);
  const said = Number(new RegExp(`\\b${service} ([\\d.]+) MB`).exec(README)?.[1]) * 1e6;
  expect(Math.abs(bytes - said) / bytes).toBeLessThan(0.1);
});

// The exporter for gRPC loads its client when it is first used: a bundle without it would lose spans without a word.
test.for(SERVICES)('%s has the client of gRPC in it', (service) => {
  const app = images.appOf(service);
  const code = readdirSync(app).filter((file) => file.endsWith('.js'));
  const asks = code.filter((file) => /require\(.@grpc\//.test(readFileSync(join(app, file), 'utf8')));
  expect(asks).toEqual([]);
});

/** Exit code of the image's health check, asked of this status port. */
const healthAt = (url: string): number | null =>
  spawnSync(process.execPath, readDockerfile('deploy/service.Dockerfile').health, {
    env: { STATUS_PORT: new URL(url).port },
  }).status;

// Where this machine allows no mounts, nobody may write to the bundles alone.
test('given the five bundles in a root that holds what their image holds, /data alone to write to, with what compose.yaml sets, when used, then a gateway; told to stop, each ends with 0', async () => {
  if (canSeal()) images.seal();
  await using fleet = await Fleet.open();
  await fleet.put('config-registry', images);
  await Promise.all(SERVICES.slice(0, 4).map((service) => fleet.put(service, images)));

  // An edge that waits 50 ms in vain for a limiter that has just started decides alone, once.
  await eventually(async () => expect(await fleet.exercise()).toEqual(AS_IT_SHOULD), 30_000);
  expect((await call(fleet.admin, '/console')).status).toBe(200);
  const urls = fleet.statusUrls;
  expect(urls.map(healthAt)).toEqual([0, 0, 0, 0, 0]);
  expect(await fleet.stop()).toEqual([0, 0, 0, 0, 0]);
  expect(urls.map(healthAt)).toEqual([1, 1, 1, 1, 1]);
  expect(fleet.log).not.toMatch(/EROFS|EACCES|ENOENT|read-only/i);
  const writers = SERVICES.filter((service) => readdirSync(images.dataOf(service)).length > 0);
  expect(writers).toEqual(['edge-proxy']);
});
