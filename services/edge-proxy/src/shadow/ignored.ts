/** Members that are left out, step by step; `*` is any name or index. */
export interface Ignored {
  isEnd: boolean;
  readonly steps: Map<string, Ignored>;
}

/** The paths as one tree, undefined when there are none. */
export const ignoredTree = (paths: readonly (readonly string[])[]): Ignored | undefined => {
  if (paths.length === 0) return undefined;
  const root: Ignored = { isEnd: false, steps: new Map() };
  for (const path of paths) {
    let at = root;
    for (const step of path) {
      const next = at.steps.get(step) ?? { isEnd: false, steps: new Map() };
      at.steps.set(step, next);
      at = next;
    }
    at.isEnd = true;
  }
  return root;
};
