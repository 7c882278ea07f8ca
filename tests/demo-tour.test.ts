import { expect, test } from 'vitest';
import { SimulateWorld } from './simulate-world.ts';

const live = ([port = 0]: readonly number[]): string => `
_format_version: "3.0"
services:
  - name: own
    url: http://127.0.0.1:${port}
    routes: [{ name: own, paths: [/own] }]
`;

test('given a running gateway, when its demo has ended, then a limit, a quota and a failing upstream were seen, and the configuration is as it was', async () => {
  await using world = await SimulateWorld.start(live);
  const digest = async () =>
    (await world.gateway.admin('/fleet')).json<{ configuration: { digest: string } }>().configuration.digest;
  const before = await digest();

  const { code, out, err } = await world.sluice('demo', '--for', '4s', '--rate', '40');

  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const seen of ['over its limit', 'used up its quota', 'breaks off', 'is back', 'as it was'])
    expect(out).toContain(seen);
  for (const [, id = ''] of out.matchAll(/explain ([0-9a-f]{32})/g))
    expect((await world.sluice('explain', id)).code).toBe(0);
  expect([...out.matchAll(/explain [0-9a-f]{32}/g)]).toHaveLength(3);
  expect(await digest()).toBe(before);
});
