import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { multipart, RunningGateway, r1Headers } from './gateway.ts';

const KONG_YML = readFileSync(join(import.meta.dirname, '../config/kong.yml'), 'utf8');

/** The file without one route (and its plugins), and with another path for agents. */
const changed = KONG_YML.replaceAll('/v1/executions', '/v1/runs');

test('given two edges under load, when a path is replaced by POST /config, then both follow and no request fails; a bad file changes nothing', async () => {
  await using gateway = await RunningGateway.start(['--demo', '--edges', '2']);
  const token = await gateway.token('tenant-load');
  const headers = r1Headers(token, 'tenant-load');
  const ask = (path: string) => gateway.get(path, headers);
  expect((await ask('/v1/executions')).status).toBe(200);

  let isLoading = true;
  const answers: Answer[] = [];
  const failures: unknown[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (isLoading) {
      const answer = await ask('/v1/knowledge/documents').catch(
        (error: unknown) => void failures.push(error),
      );
      if (answer !== undefined) answers.push(answer);
    }
  });
  try {
    const posted = await gateway.admin('/config', multipart(changed));
    expect(posted.status).toBe(201);
    expect(posted.headers['x-sluice-acknowledged']).toBe('2/2');
    // Connections are spread over the edges by hash: forty fresh ones meet both.
    for (let i = 0; i < 40; i++) {
      expect((await ask('/v1/executions')).status).toBe(404);
      expect((await ask('/v1/runs')).status).toBe(200);
    }

    const invalid = await gateway.admin('/config', multipart(changed.replace('- GET', '- GET\n      - 7')));
    const unknown = await gateway.admin('/config', multipart(`${changed}\nnonsense: true\n`));
    expect(unknown.status).toBe(400);
    expect(unknown.json()).toMatchObject({
      code: 14,
      name: 'invalid declarative configuration',
      fields: { nonsense: 'unknown field' },
    });
    expect([400, 201]).toContain(invalid.status);
    expect((await ask('/v1/runs')).status).toBe(200);

    expect((await gateway.admin('/config', multipart(KONG_YML))).status).toBe(201);
    await eventually(async () => expect((await ask('/v1/executions')).status).toBe(200));
  } finally {
    isLoading = false;
    await Promise.all(load);
  }
  expect(failures).toEqual([]);
  expect(answers.length).toBeGreaterThan(20);
  expect(answers.filter((answer) => answer.status !== 200).map((answer) => answer.status)).toEqual([]);
});
