import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');

const Step = z.union([
  z.strictObject({
    uses: z.string().regex(/^actions\/[\w-]+@v\d+$/),
    with: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])).optional(),
  }),
  z.strictObject({
    run: z.string(),
    if: z.string().optional(),
    env: z.record(z.string(), z.string()).optional(),
  }),
]);
const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
  concurrency: z.strictObject({
    group: z.string(),
    'cancel-in-progress': z.union([z.string(), z.boolean()]),
  }),
  jobs: z.record(
    z.string(),
    z.strictObject({
      if: z.string().optional(),
      'runs-on': z.string(),
      'timeout-minutes': z.int().max(60),
      steps: z.array(Step),
    }),
  ),
});

const read = (name: string) =>
  Workflow.parse(parse(readFileSync(join(ROOT, '.github/workflows', `${name}.yml`), 'utf8')));
const stepsOf = ({ jobs }: z.output<typeof Workflow>) => Object.values(jobs).flatMap((job) => job.steps);
const runsOf = (steps: ReturnType<typeof stepsOf>) =>
  steps.map((step) => ('run' in step ? step.run : '')).filter((run) => run.startsWith('.ci/'));

const workflow = read('ci');
const steps = stepsOf(workflow);

test('the workflow runs .ci/run whole, last, on main and on what is to become main', () => {
  expect(steps.at(-1)).toMatchObject({ run: '.ci/run' });
  // A pull request's own branch is the base of what has changed; main has none.
  expect(steps.at(-1)).toMatchObject({
    env: { CI_BASE: expect.stringMatching(/^\$\{\{ github\.base_ref && .* \|\| '' \}\}$/) },
  });
  expect(steps[0]).toMatchObject({ with: { 'fetch-depth': 0 } });
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

test('the release workflow checks everything first, and writes only on main and when it is told to', () => {
  const release = read('release');
  expect(release.on).toMatchObject({ workflow_dispatch: { inputs: { real: { default: false } } } });
  expect(Object.values(release.jobs)).toEqual([
    expect.objectContaining({ if: "github.ref == 'refs/heads/main'" }),
  ]);
  expect(stepsOf(release)[0]).toMatchObject({ with: { 'fetch-depth': 0 } });
  const [first, second, third] = runsOf(stepsOf(release));
  expect(first).toBe('.ci/run');
  // SECURITY.md: no release with a known vulnerability of level high or critical in what is shipped.
  const runs = stepsOf(release).map((step) => ('run' in step ? step.run : ''));
  const [checked, audited] = ['.ci/run', 'npm audit --omit=dev --audit-level=high'].map((run) =>
    runs.indexOf(run),
  );
  expect(audited).toBe((checked ?? 0) + 1);
  expect(second).toMatch(/^\.ci\/release \$\{\{ inputs\.real && '--real' \|\| '' \}\}$/);
  expect(third).toMatch(/^\.ci\/push-images /);
  expect(stepsOf(release).at(-1)).toMatchObject({ if: 'inputs.real' });
  for (const name of ['run', 'release', 'push-images'])
    expect(statSync(join(ROOT, '.ci', name)).mode & 0o111, name).not.toBe(0);
});
