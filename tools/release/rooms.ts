import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is versioned by itself: a service, or the contracts. */
export interface Room {
  readonly name: string;
  /** `services/auth`. */
  readonly root: string;
  /** Of all that it is made of, itself first. */
  readonly roots: readonly string[];
}

interface Graph {
  readonly nodes: Readonly<Record<string, { readonly data: { readonly root: string } }>>;
  readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
}
interface Manifest {
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const RELEASED = /^(services\/[\w-]+|libs\/contracts)$/;

/** By the project graph of Nx, less what is there for tests alone. */
export const readRooms = (folder: string): Room[] => {
  const { nodes, dependencies } = readGraph(folder);
  const needs = (project: string): string[] => {
    const manifest = join(folder, nodes[project]?.data.root ?? '', 'package.json');
    const { devDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
    return (dependencies[project] ?? [])
      .map(({ target }) => target)
      .filter((target) => target in nodes && !(target in devDependencies));
  };
  const allOf = (project: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(project)) return seen;
    seen.add(project);
    for (const target of needs(project)) allOf(target, seen);
    return seen;
  };
  return Object.entries(nodes)
    .filter(([, { data }]) => RELEASED.test(data.root))
    .map(([project, { data }]) => ({
      name: data.root.slice(data.root.indexOf('/') + 1),
      root: data.root,
      roots: [...allOf(project)].map((name) => nodes[name]?.data.root ?? ''),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
};

const readGraph = (folder: string): Graph => {
  const place = mkdtempSync(join(tmpdir(), 'sluice-graph-'));
  try {
    const file = join(place, 'graph.json');
    execFileSync(
      process.execPath,
      [join(folder, 'node_modules/nx/dist/bin/nx.js'), 'graph', `--file=${file}`],
      {
        ...{ cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
        env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
      },
    );
    return (JSON.parse(readFileSync(file, 'utf8')) as { graph: Graph }).graph;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};
