import type { IncomingMessage } from 'node:http';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { plugin, route, service } from '../edge-world.ts';
import { copies, dualRun, json, noting, order, skipped, until } from './dual-run.ts';

test('given a POST, then it is copied only where the configuration says so', async () => {
  await using run = await dualRun();
  await run.get('/', { method: 'POST', body: 'a' });
  await until(run.world, skipped('method'));
  expect(run.second.received).toHaveLength(0);
});

test('given POST is to be copied, then its body comes along unless it is larger than it may be', async () => {
  const bodies: string[] = [];
  await using run = await dualRun(
    { there: noting(bodies, order) },
    { methods: ['POST'], max_body_bytes: 10 },
  );
  await run.get('/', { method: 'POST', body: '0123456789' });
  await until(run.world, copies('equal'));
  await run.get('/', { method: 'POST', body: '0123456789-' });
  await until(run.world, skipped('body-too-large'));
  await run.get('/', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body: '0123456789-' });
  await until(run.world, skipped('body-too-large'), 2);
  expect(bodies).toEqual(['0123456789']);
});

test('given a plugin that changes request and answer, then the copy is what came and the answer what went out', async () => {
  const bodies: string[] = [];
  await using run = await dualRun(
    { there: noting(bodies, json({ total: 12 })) },
    { methods: ['POST'] },
    {
      plugins: [
        plugin('request-transformer', { add: { body: ['extra:1'] }, replace: { uri: '/moved' } }),
        plugin('response-transformer', { remove: { json: ['id'] } }),
      ],
    },
  );
  await run.get('/p', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' });
  await until(run.world, copies('equal'));
  expect(bodies).toEqual(['{"a":1}']);
  expect(run.second.received[0]?.url).toBe('/p');
  expect(run.upstream.received[0]?.url).toBe('/moved');
});

test('given a copy comes in, then it is not copied once more', async () => {
  await using run = await dualRun({}, { marker: 'X-Copy' });
  await run.get('/', { headers: { 'X-Copy': '1' } });
  await run.get('/', { headers: { 'X-Sluice-Shadow': '1' } });
  await until(run.world, skipped('copy'), 2);
  expect(run.second.received).toHaveLength(0);
});

test('given a share, then about so many of the requests are copied', async () => {
  await using run = await dualRun({}, { percent: 0 });
  await run.get();
  const other = { plugins: [plugin('shadow', { url: run.second.url })] };
  const to = service('up', run.upstream.url);
  await run.world.commit({ services: [to], routes: [route('orders', to)], ...other });
  await run.get();
  await until(run.world, copies('equal'));
  expect(run.second.received).toHaveLength(1);
});

test('credentials stay here unless the configuration says that they go along', async () => {
  const headers = { Authorization: 'Bearer s-1', Cookie: 'sid=s-2', 'X-Api-Key': 's-3', 'X-Own-Key': 's-4' };
  const path = '/?a=1&apikey=s-5&my_key=s-6';
  const keys = plugin('key-auth', { key_names: ['x-own-key', 'my_key'] });
  const seen = ({ url, rawHeaders }: IncomingMessage) => [url, ...rawHeaders].join(' ');

  await using run = await dualRun({}, {}, { plugins: [keys] });
  await run.get(path, { headers });
  await eventually(() => expect(run.second.received).toHaveLength(1));
  expect(seen(run.second.received[0] as IncomingMessage)).not.toMatch(/s-\d/);
  expect(run.second.received[0]?.url).toBe('/?a=1');

  await using all = await dualRun({}, { forward_credentials: true }, { plugins: [keys] });
  await all.get(path, { headers });
  await eventually(() => expect(all.second.received).toHaveLength(1));
  for (const secret of ['s-1', 's-2', 's-3', 's-4', 's-5', 's-6'])
    expect(seen(all.second.received[0] as IncomingMessage)).toContain(secret);
});
