/** Text for a page, between tags or in quotes. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** One line of a chart: parts stacked from the left, in the order of the colours. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly number[];
  /** Written behind the bar. */
  readonly note: string;
  /** A mark across the bar: what is demanded. */
  readonly mark?: number;
}

export const COLOURS = ['#3465a4', '#cc8f00', '#4e9a06', '#a40000', '#75507b', '#888a85', '#06989a'] as const;

const WIDTH = 860;
const LABEL_WIDTH = 270;
const NOTE_WIDTH = 130;
const LINE = 22;
const BAR = 14;

const total = ({ parts }: Bar): number => parts.reduce((all, part) => all + part, 0);

const lineOf = ({ label, parts, note, mark }: Bar, at: number, scale: (value: number) => number): string => {
  const y = at * LINE + 4;
  let from = 0;
  const rects = parts.map((part, n) => {
    const x = LABEL_WIDTH + scale(from);
    from += part;
    const colour = COLOURS[n % COLOURS.length] ?? '';
    return `<rect x="${x.toFixed(1)}" y="${y}" width="${scale(part).toFixed(1)}" height="${BAR}" fill="${colour}"/>`;
  });
  const end = LABEL_WIDTH + scale(Math.max(from, mark ?? 0)) + 6;
  const x = LABEL_WIDTH + scale(mark ?? 0);
  const tick = mark === undefined ? '' : `<path d="M${x.toFixed(1)} ${y - 3}v${BAR + 6}" class="mark"/>`;
  const text = y + BAR - 3;
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${text}" text-anchor="end">${escaped(label)}</text>`,
    ...rects,
    tick,
    `<text x="${end.toFixed(1)}" y="${text}" class="note">${escaped(note)}</text>`,
  ].join('');
};

/** Bars below each other, drawn to one scale; figures that are no numbers are left out. */
export const barChart = (title: string, bars: readonly Bar[]): string => {
  const known = bars.filter((bar) => Number.isFinite(total(bar)));
  const most = Math.max(1e-9, ...known.map((bar) => Math.max(total(bar), bar.mark ?? 0)));
  const scale = (value: number): number => (value / most) * (WIDTH - LABEL_WIDTH - NOTE_WIDTH);
  const height = known.length * LINE + 8;
  const lines = known.map((bar, at) => lineOf(bar, at, scale)).join('\n');
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return `<figure><figcaption>${escaped(title)}</figcaption>
<svg ${size} role="img" aria-label="${escaped(title)}">
${lines}
</svg></figure>`;
};

/** A line over time, with a mark across for what is demanded. */
export const lineChart = (
  title: string,
  points: readonly { readonly x: number; readonly y: number }[],
  mark: number,
): string => {
  const [width, height, margin] = [WIDTH, 240, 40];
  const right = Math.max(1e-9, ...points.map(({ x }) => x));
  const top = 1.1 * Math.max(mark, ...points.map(({ y }) => y));
  const at = (x: number, y: number): string =>
    `${(margin + (x / right) * (width - 2 * margin)).toFixed(1)} ${(height - margin - (y / top) * (height - 2 * margin)).toFixed(1)}`;
  const path = points.map(({ x, y }, n) => `${n === 0 ? 'M' : 'L'}${at(x, y)}`).join('');
  return `<figure><figcaption>${escaped(title)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<path d="M${at(0, mark)}L${at(right, mark)}" class="mark"/>
<path d="${path}" fill="none" stroke="${COLOURS[0]}" stroke-width="2"/>
<path d="M${at(0, top)}L${at(0, 0)}L${at(right, 0)}" class="axis"/>
</svg></figure>`;
};
