import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuProfile, ProfileNode } from './inspector.ts';
import { groupOf, placeOf, selfMicrosOf } from './self-time.ts';

/** A frame of the graph: name, place, group, µs with all it called, and what it called. */
type Frame = [name: string, place: string, group: string, micros: number, children: Frame[]];

/** Narrower frames would not be seen. */
const MIN_SHARE = 0.0005;

const frameOf = (
  node: ProfileNode,
  root: string,
  nodes: ReadonlyMap<number, ProfileNode>,
  self: ReadonlyMap<number, number>,
): Frame => {
  const children = (node.children ?? []).flatMap((id) => {
    const child = nodes.get(id);
    return child === undefined || groupOf(child) === 'idle' ? [] : [frameOf(child, root, nodes, self)];
  });
  const micros = children.reduce((total, [, , , one]) => total + one, self.get(node.id) ?? 0);
  return [node.callFrame.functionName || '(anonymous)', placeOf(node, root), groupOf(node), micros, children];
};

const prune = ([name, place, group, micros, children]: Frame, least: number): Frame => [
  name,
  place,
  group,
  Math.round(micros),
  children
    .filter(([, , , one]) => one >= least)
    .map((child) => prune(child, least))
    .toSorted(([, , , a], [, , , b]) => b - a),
];

const inScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** One page, which needs nothing else: hover for a frame's figures, click to look closer, type to search. */
export const flameGraph = (
  profile: CpuProfile,
  { root, title, requests }: { root: string; title: string; requests: number },
): string => {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const [top] = profile.nodes;
  if (top === undefined) throw new Error('the profile is empty');
  const whole = frameOf(top, root, nodes, selfMicrosOf(profile));
  const frames = prune(whole, whole[3] * MIN_SHARE);
  const page = readFileSync(join(import.meta.dirname, 'flame-graph.html'), 'utf8');
  return page.replace('/*DATA*/', () => `const DATA = ${inScript({ title, requests, frames })};`);
};
