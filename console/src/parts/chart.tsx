import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly label: string;
  /** A colour of colours.css, by its name. */
  readonly colour: string;
  readonly values: readonly number[];
}

const HEIGHT = 180;
const SPAN_SECONDS = 180;
const colourOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const optionsOf = (
  lines: readonly Line[],
  width: number,
  format: (value: number) => string,
): uPlot.Options => {
  const axis = {
    stroke: colourOf('muted'),
    grid: { stroke: colourOf('line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return {
    ...{ width, height: HEIGHT, cursor: { y: false }, legend: { show: false }, padding: [8, 8, 0, 0] },
    scales: {
      x: { range: (_plot, _min, max) => [max - SPAN_SECONDS, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 80,
        size: 28,
        values: (_plot, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString('en-GB')),
      },
      { ...axis, size: 62, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour }, at) => ({
        ...{ label, stroke: colourOf(colour), width: 2, points: { show: false } },
        ...(at === 0 ? { fill: `${colourOf(colour)}22` } : {}),
      })),
    ],
  };
};

/** Lines over time. `title` says what they show to who cannot see them. */
export const Chart = ({
  title,
  times,
  lines,
  format,
}: {
  title: string;
  /** Unix seconds. */
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}) => {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data: uPlot.AlignedData = [[...times], ...lines.map(({ values }) => [...values])];
  useEffect(() => {
    const { current: box } = place;
    if (box === null) return undefined;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(lines, box.clientWidth, format), data, box);
    };
    make();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }),
    );
    resized.observe(box);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', make);
    return () => {
      scheme.removeEventListener('change', make);
      resized.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data));
  return (
    <figure class="chart">
      <div
        ref={place}
        role="img"
        aria-label={`${title}: ${lines.map(({ label, values }) => `${label} ${format(values.at(-1) ?? 0)}`).join(', ')}`}
      />
      <figcaption>
        {lines.map(({ label, colour, values }) => (
          <span key={label} class="key">
            <i class={`swatch ${colour}`} />
            {label} <b>{format(values.at(-1) ?? 0)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
};
