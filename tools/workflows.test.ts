import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');

const Step = z.union([
  z.strictObject({
    uses: z.string().regex(/^actions\/[\w-]+@v\d+$/),
    with: z.record(z.string(), z.union([z.string(), z.boolean()])).optional(),
  }),
  z.strictObject({ run: z.string() }),
]);
const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({ contents: z.literal('read') }),
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.string() }),
  jobs: z.record(
    z.string(),
    z.strictObject({ 'runs-on': z.string(), 'timeout-minutes': z.int().max(60), steps: z.array(Step) }),
  ),
});

const workflow = Workflow.parse(parse(readFileSync(join(ROOT, '.github/workflows/ci.yml'), 'utf8')));
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

test('the workflow runs .ci/run whole, last, on main and on what is to become main', () => {
  expect(steps.at(-1)).toEqual({ run: '.ci/run' });
  expect(Object.keys(workflow.on)).toEqual(expect.arrayContaining(['push', 'pull_request']));
  const file = join(ROOT, '.ci/run');
  expect(existsSync(file) && (statSync(file).mode & 0o111) !== 0).toBe(true);
});

test('the workflow has Node of the pinned major, the servers of the tests, and no right to write', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: { node: string };
  };
  const node = steps.find((step) => 'uses' in step && step.uses.startsWith('actions/setup-node@'));
  expect(node).toMatchObject({ with: { 'node-version': devDependencies.node.split('.')[0] } });
  const installs = steps.map((step) => ('run' in step ? step.run : '')).join('\n');
  for (const server of ['nats-server', 'redis-server', 'haproxy', 'prometheus'])
    expect(installs).toContain(server);
  expect(workflow.permissions).toEqual({ contents: 'read' });
});
