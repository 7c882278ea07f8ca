import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';

const rooms = [...globSync('{libs,services}/*', { cwd: import.meta.dirname }), 'cli'];
// Functions of values: their tests start nothing and change nothing, so the files of one share a worker.
const isPure = (room: string) =>
  ['contracts', 'gateway-config', 'plugins', 'routing'].includes(basename(room));
const project = (name: string, root: string, include: string, globalSetup?: string) => ({
  extends: true as const,
  test: {
    ...{ name, root: join(import.meta.dirname, root), include: [include] },
    ...(globalSetup === undefined ? {} : { globalSetup }),
  },
});

/** As those of a pure room. */
const shared = ({ test, ...rest }: ReturnType<typeof project>) => ({
  ...rest,
  test: { ...test, isolate: false },
});

export default defineConfig({
  test: {
    // Much of their time tests wait for servers: two at a time, even where there is only one core for them.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Real servers start inside the tests; on two busy cores a start can take seconds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      project('workspace', '.', 'tools/*.test.ts'),
      project('e2e', 'tests', '*.test.ts'),
      project('bundles', 'tests/bundles', '*.test.ts'),
      shared(project('kubernetes', 'tests/kubernetes', '*.test.ts')),
      project('skew', 'tests/skew', '*.test.ts'),
      project('faults', 'tests/faults', '*.test.ts'),
      project('guides', 'tests/guides', '*.test.ts'),
      project('conformance', 'tests/conformance', '*.test.ts', './shared-gateways.ts'),
      project('console-browser', 'tests/console', '*.test.ts'),
      project('security', 'tests/security', '*.test.ts', './shared-edges.ts'),
      ...rooms.map((room) => {
        const { extends: base, test } = project(basename(room), room, 'test/**/*.test.ts');
        return { extends: base, test: { ...test, isolate: !isPure(room) } };
      }),
    ],
  },
});
