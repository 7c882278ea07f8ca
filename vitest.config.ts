import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';

const rooms = [...globSync('{libs,services}/*', { cwd: import.meta.dirname }), 'cli'];
// Their tests replace no module and set nothing of the process: the files of one share workers, and what they import
// is read once for each worker. The others mock a module, set what OpenTelemetry has one of, or end processes.
const SHARE_WORKERS = new Set([
  ...['auth', 'cli', 'config-log', 'config-registry', 'conformance', 'contracts', 'e2e', 'edge-proxy'],
  ...['gateway-config', 'kubernetes', 'plugins', 'ratelimit', 'routing', 'security'],
]);
const project = (name: string, root: string, include: string, globalSetup?: string) => ({
  extends: true as const,
  test: {
    ...{ name, root: join(import.meta.dirname, root), include: [include], isolate: !SHARE_WORKERS.has(name) },
    ...(globalSetup === undefined ? {} : { globalSetup }),
  },
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
      project('kubernetes', 'tests/kubernetes', '*.test.ts'),
      project('skew', 'tests/skew', '*.test.ts'),
      project('faults', 'tests/faults', '*.test.ts'),
      project('guides', 'tests/guides', '*.test.ts'),
      project('conformance', 'tests/conformance', '*.test.ts', './shared-gateways.ts'),
      project('console-browser', 'tests/console', '*.test.ts'),
      project('security', 'tests/security', '*.test.ts', './shared-edges.ts'),
      ...rooms.map((room) => project(basename(room), room, 'test/**/*.test.ts')),
    ],
  },
});
