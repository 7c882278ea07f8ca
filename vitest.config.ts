import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';

const rooms = [...globSync('{libs,services}/*', { cwd: import.meta.dirname }), 'cli'];
const project = (name: string, root: string, include: string, globalSetup?: string) => ({
  extends: true as const,
  test: {
    ...{ name, root: join(import.meta.dirname, root), include: [include] },
    ...(globalSetup === undefined ? {} : { globalSetup }),
  },
});

export default defineConfig({
  test: {
    // Real servers start inside the tests; on two busy cores a start can take seconds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      project('workspace', '.', 'tools/*.test.ts'),
      project('e2e', 'tests', '*.test.ts'),
      project('faults', 'tests/faults', '*.test.ts'),
      project('conformance', 'tests/conformance', '*.test.ts', './shared-gateways.ts'),
      project('security', 'tests/security', '*.test.ts', './shared-edges.ts'),
      ...rooms.map((room) => project(basename(room), room, 'test/**/*.test.ts')),
    ],
  },
});
