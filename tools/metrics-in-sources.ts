import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** A family of metrics as the code that makes it says. */
export interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** The room that has it: a service's folder, or that of a lib. */
  readonly room: string;
}

interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}
type Names = ReadonlyMap<string, Node>;

const NAME = /^(?:kong|sluice|process)_[a-z0-9_]+$/;
/** Names that lead to names; one may lead to itself. */
const MAX_DEPTH = 8;
const KINDS = [
  ['counter', /counter$/i],
  ['gauge', /gauge$/i],
  ['histogram', /(?:histogram|^family)$/i], // `family` is a histogram of Kong's, see kong-families.ts
] as const;

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';
const childrenOf = (node: Node): Node[] => Object.values(node).flat().filter(isNode);
const walk = (node: Node, visit: (node: Node) => void): void => {
  visit(node);
  for (const child of childrenOf(node)) walk(child, visit);
};

const textOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;

/** Constants and types of a file by their names. */
const namesIn = (program: Node): Names => {
  const names = new Map<string, Node>();
  walk(program, (node) => {
    const said = node.type === 'TSTypeAliasDeclaration' ? node.typeAnnotation : node.init;
    if (isNode(node.id) && typeof node.id.name === 'string' && isNode(said)) names.set(node.id.name, said);
  });
  return names;
};

/** The texts that a list, a union of types, or the name of one holds. */
const textsIn = (node: unknown, names: Names, depth = 0): string[] => {
  if (!isNode(node) || depth > MAX_DEPTH) return [];
  const text = textOf(node) ?? textOf(node.literal);
  if (text !== undefined) return [text];
  const name = node.type === 'TSTypeReference' ? (node.typeName as Node).name : node.name;
  const named = node.type.includes('Function') ? undefined : names.get(name as string);
  if (named !== undefined) return textsIn(named, names, depth + 1);
  const parts = [node.elements, node.types, node.expression, node.argument].flat();
  return parts.flatMap((part) => textsIn(part, names, depth + 1));
};

/** What is given for type parameters: by the call, or within the function of this file that it calls. */
const typesOf = (node: Node, names: Names): readonly Node[] => {
  const given = (node.typeArguments as Node | null)?.params as readonly Node[] | undefined;
  const called = isNode(node.callee) ? names.get(`${node.callee.name}`) : undefined;
  if (given !== undefined || called === undefined) return given ?? [];
  let types: readonly Node[] = [];
  walk(called, (inner) => {
    if (inner.type === 'NewExpression') types = typesOf(inner, new Map());
  });
  return types;
};

/** Made by a call with name, help and labels in this order, or with an object that names them. */
const metricOf = (node: Node, names: Names): Omit<Metric, 'room'> | undefined => {
  const callee = isNode(node.callee)
    ? (node.callee.name ?? (node.callee.property as Node | undefined)?.name)
    : '';
  const [kind] = KINDS.find(([, pattern]) => pattern.test(`${callee}`)) ?? [];
  if (kind === undefined) return undefined;
  const given = node.arguments as readonly Node[];
  const [first] = given;
  if (first?.type === 'ObjectExpression') {
    const field = (name: string) =>
      (first.properties as readonly Node[]).find(({ key }) => isNode(key) && key.name === name)?.value;
    const [name, help] = [textOf(field('name')), textOf(field('help'))];
    if (name === undefined || help === undefined) return undefined;
    return { name, kind, help, labels: textsIn(field('labelNames'), names) };
  }
  const at = given.findIndex((one) => NAME.test(textOf(one) ?? ''));
  const [name, help] = [textOf(given[at]), textOf(given[at + 1])];
  if (name === undefined || help === undefined) return undefined;
  const types = typesOf(node, names);
  const labels =
    types.length === 0 ? textsIn(given[at + 2], names) : types.flatMap((one) => textsIn(one, names));
  return { name, kind, help, labels };
};

const metricsIn = (root: string, file: string): Metric[] => {
  const program = parseAst(readFileSync(join(root, file), 'utf8'), { lang: 'ts' }) as unknown as Node;
  const names = namesIn(program);
  const found: Metric[] = [];
  walk(program, (node) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const metric = metricOf(node, names);
    if (metric !== undefined) found.push({ ...metric, room: file.split('/')[1] ?? '' });
  });
  return found;
};

/**
 * The metrics of all processes, by room and name: read from the sources, for some are made only when something happens
 * for the first time.
 */
export const metricsInSources = (root: string): Metric[] =>
  globSync('{services,libs}/*/src/**/*.ts', { cwd: root })
    .sort()
    .flatMap((file) => metricsIn(root, file))
    .sort((a, b) => `${a.room} ${a.name}`.localeCompare(`${b.room} ${b.name}`));
