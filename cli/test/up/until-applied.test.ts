import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { untilApplied } from '../../src/up/until-applied.ts';

test('given an edge that is behind, then it is asked until it serves the version', async () => {
  let asked = 0;
  await using server = createServer((_request, response) => {
    asked += 1;
    response.end(`# TYPE sluice_config_version gauge\nsluice_config_version ${asked}\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  await untilApplied(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 3);

  expect(asked).toBe(3);
  server.closeAllConnections();
});
