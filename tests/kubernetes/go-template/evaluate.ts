import { FUNCTIONS, isMap, isTrue, textOf, type Value } from './functions.ts';
import type { Block, Expression, Node } from './parse.ts';

/** Where an action stands: the dot, and the variables that it sees. */
interface Scope {
  readonly dot: Value;
  readonly variables: Map<string, Value>;
}

/** A set of templates that may include each other. */
export class Templates {
  readonly #defined = new Map<string, readonly Node[]>();
  readonly #files: ReadonlyMap<string, string>;

  /** @param files what `.Files.Get` gives. */
  constructor(files: ReadonlyMap<string, string>) {
    this.#files = files;
  }

  /** Takes the definitions of a file; what else is in it is for `render`. */
  define(nodes: readonly Node[]): void {
    for (const node of nodes) if (node.kind === 'define') this.#defined.set(node.name, node.body);
  }

  /** @throws Error for a template, function, variable or value that is not there. */
  render(nodes: readonly Node[], dot: Value): string {
    return this.#all(nodes, { dot, variables: new Map([['$', dot]]) });
  }

  #all(nodes: readonly Node[], { dot, variables }: Scope): string {
    const scope = { dot, variables: new Map(variables) };
    return nodes.map((node) => this.#one(node, scope)).join('');
  }

  #one(node: Node, scope: Scope): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'define':
        return '';
      case 'print':
        return textOf(this.#value(node.of, scope));
      case 'declare':
        scope.variables.set(node.name, this.#value(node.of, scope));
        return '';
      case 'range':
        return this.#range(node, scope);
      case 'if':
      case 'with': {
        const value = this.#value(node.of, scope);
        if (!isTrue(value)) return this.#all(node.otherwise, scope);
        return this.#all(node.body, node.kind === 'with' ? { ...scope, dot: value } : scope);
      }
    }
  }

  #range({ of, names, body, otherwise }: Block, scope: Scope): string {
    const over = this.#value(of, scope);
    const entries: (readonly [Value, Value])[] = isMap(over)
      ? Object.entries(over).sort(([a], [b]) => (a < b ? -1 : 1))
      : [...((over ?? []) as readonly Value[]).entries()];
    if (entries.length === 0) return this.#all(otherwise, scope);
    return entries
      .map(([key, value]) => {
        const variables = new Map(scope.variables);
        for (const [i, name] of names.entries())
          variables.set(name, names.length === 2 && i === 0 ? key : value);
        return this.#all(body, { dot: value, variables });
      })
      .join('');
  }

  #value(of: Expression, scope: Scope): Value {
    switch (of.kind) {
      case 'value':
        return of.value;
      case 'dot':
        return scope.dot;
      case 'variable':
        if (!scope.variables.has(of.name)) throw new Error(`no variable ${of.name}`);
        return scope.variables.get(of.name);
      case 'field':
        return fieldOf(this.#value(of.of, scope), of.name);
      case 'call':
        return this.#call(of.name, of.args, scope);
    }
  }

  #call(name: string, args: readonly Expression[], scope: Scope): Value {
    if (name === 'and' || name === 'or') {
      let last: Value;
      for (const arg of args) {
        last = this.#value(arg, scope);
        if (isTrue(last) === (name === 'or')) break;
      }
      return last;
    }
    const values = args.map((arg) => this.#value(arg, scope));
    if (name === 'include') return this.#include(textOf(values[0]), values[1]);
    if (name === 'Files.Get') return this.#files.get(textOf(values[0])) ?? '';
    const run = FUNCTIONS[name];
    if (run === undefined) throw new Error(`no function ${name}`);
    return run(...values);
  }

  #include(name: string, dot: Value): string {
    const nodes = this.#defined.get(name);
    if (nodes === undefined) throw new Error(`no template ${name}`);
    return this.render(nodes, dot);
  }
}

/** A field that a map does not have is nothing, one of nothing is a mistake: as Go has it. */
const fieldOf = (value: Value, name: string): Value => {
  if (!isMap(value)) throw new Error(`no field ${name} in ${JSON.stringify(value) ?? 'nothing'}`);
  return value[name];
};
