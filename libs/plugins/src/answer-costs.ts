/** What the answer costs, by limit: `videos=2, images` is two videos and one image. */
export const costsIn = (lines: readonly string[]): ReadonlyMap<string, number> => {
  const costs = new Map<string, number>();
  for (const part of lines.join(',').split(',')) {
    const [name = '', units] = part.split('=').map((piece) => piece.trim());
    if (name === '') continue;
    const cost = units === undefined ? 1 : Number(units);
    costs.set(name, Number.isFinite(cost) && cost >= 0 ? cost : 1);
  }
  return costs;
};
