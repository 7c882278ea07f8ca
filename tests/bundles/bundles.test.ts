import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AS_IT_SHOULD, Fleet } from './fleet.ts';
import { codeBytes, ImageLayout, SERVICES } from './image.ts';

const MAX_CODE_BYTES = 5_000_000;
let images: ImageLayout;
beforeAll(async () => {
  images = await ImageLayout.of();
});
afterAll(() => images[Symbol.dispose]());

test.for(SERVICES)('%s is less than 5 MB of code', (service) => {
  expect(codeBytes(images.appOf(service))).toBeLessThan(MAX_CODE_BYTES);
});

// The exporter for gRPC loads its client when it is first used: a bundle without it would lose spans without a word.
test.for(SERVICES)('%s has the client of gRPC in it', (service) => {
  const app = images.appOf(service);
  const code = readdirSync(app).filter((file) => file.endsWith('.js'));
  const asks = code.filter((file) => /require\(.@grpc\//.test(readFileSync(join(app, file), 'utf8')));
  expect(asks).toEqual([]);
});

test('given the five bundles as in their images, with what compose.yaml sets, when used, then a gateway; told to stop, each ends with 0', async () => {
  await using fleet = await Fleet.open();
  await fleet.put('config-registry', images);
  await Promise.all(SERVICES.slice(0, 4).map((service) => fleet.put(service, images)));

  // An edge that waits 50 ms in vain for a limiter that has just started decides alone, once.
  await eventually(async () => expect(await fleet.exercise()).toEqual(AS_IT_SHOULD), 30_000);
  expect((await call(fleet.admin, '/console')).status).toBe(200);
  expect(await fleet.stop()).toEqual([0, 0, 0, 0, 0]);
});
