import { relative } from 'node:path';
import { sum } from '../measure/statistics.ts';
import type { CpuProfile, ProfileNode } from './inspector.ts';

/** Where time went, by who wrote the code. */
export type Group = 'ours' | 'packages' | 'node' | 'native' | 'gc' | 'program' | 'idle';

export interface FunctionTime {
  readonly name: string;
  /** `file:line`, relative to the repository; of packages from their name on. */
  readonly place: string;
  readonly group: Group;
  readonly selfMicros: number;
  /** Of all time that was not idle. */
  readonly share: number;
}

export interface SelfTimes {
  readonly functions: readonly FunctionTime[];
  readonly groups: Readonly<Record<Group, number>>;
  /** µs that were not idle. */
  readonly busyMicros: number;
}

const SPECIAL: ReadonlyMap<string, Group> = new Map([
  ['(garbage collector)', 'gc'],
  ['(program)', 'program'],
  ['(idle)', 'idle'],
]);

/** Who wrote a function. V8 gives functions of the runtime in C++ no address. */
export const groupOf = ({ callFrame: { functionName, url } }: ProfileNode): Group => {
  const special = SPECIAL.get(functionName);
  if (special !== undefined) return special;
  if (url === '') return 'native';
  if (url.startsWith('node:')) return 'node';
  if (url.startsWith('wasm:')) return 'packages'; // undici's parser
  return url.includes('/node_modules/') && !url.includes('/node_modules/@sluice/') ? 'packages' : 'ours';
};

/** Where a function stands, as a reader finds it. */
export const placeOf = ({ callFrame: { url, lineNumber } }: ProfileNode, root: string): string => {
  if (url === '') return '';
  const line = lineNumber + 1;
  if (/^(node|wasm):/.test(url)) return `${url}:${line}`;
  const path = relative(root, url.replace(/^file:\/\//, ''));
  return `${path.replace(/^.*node_modules\//, '')}:${line}`;
};

/** µs for each node itself, without what it called. */
export const selfMicrosOf = ({ samples, timeDeltas }: CpuProfile): ReadonlyMap<number, number> => {
  const self = new Map<number, number>();
  for (const [at, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + (timeDeltas[at] ?? 0));
  return self;
};

/** The functions of a profile, dearest first; a function called from several places is one. */
export const selfTimes = (profile: CpuProfile, root: string): SelfTimes => {
  const self = selfMicrosOf(profile);
  const groups: Record<Group, number> = {
    ...{ ours: 0, packages: 0, node: 0, native: 0 },
    ...{ gc: 0, program: 0, idle: 0 },
  };
  const byPlace = new Map<string, { name: string; place: string; group: Group; selfMicros: number }>();
  for (const node of profile.nodes) {
    const micros = self.get(node.id) ?? 0;
    const group = groupOf(node);
    groups[group] += micros;
    if (micros === 0 || group === 'idle') continue;
    const name = node.callFrame.functionName || '(anonymous)';
    const place = placeOf(node, root);
    const key = `${name} ${place}`;
    const known = byPlace.get(key) ?? { name, place, group, selfMicros: 0 };
    known.selfMicros += micros;
    byPlace.set(key, known);
  }
  const busyMicros = sum(Object.values(groups)) - groups.idle;
  const functions = [...byPlace.values()]
    .map((one) => ({ ...one, share: one.selfMicros / busyMicros }))
    .toSorted((a, b) => b.selfMicros - a.selfMicros);
  return { functions, groups, busyMicros };
};
