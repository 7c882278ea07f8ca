/** A request that a figure of a histogram stands for. */
export interface Exemplar {
  /** The bucket's series as the text has it: name and labels. */
  readonly series: string;
  readonly traceId: string;
  readonly value: number;
  /** Unix ms. */
  readonly at: number;
}

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Whether a scraper takes OpenMetrics, and with it exemplars. Prometheus does, as its first choice. */
export const takesOpenMetrics = (accept: string | undefined): boolean =>
  accept?.includes('application/openmetrics-text') === true;

/** What stands behind a bucket's value. */
export const exemplarText = ({ traceId, value, at }: Exemplar): string =>
  ` # {trace_id="${traceId}"} ${value} ${(at / 1000).toFixed(3)}`;

/**
 * Prometheus' text format 0.0.4 as OpenMetrics 1.0. No series is called otherwise by it: a counter whose name does not
 * end in `_total`, such as Kong's `kong_bandwidth_bytes`, would have to be renamed, so its type is `unknown`.
 */
export const openMetrics = (text: string, exemplars: readonly Exemplar[] = []): string => {
  const bySeries = new Map(exemplars.map((one) => [one.series, one]));
  const lines: string[] = [];
  let help: string | undefined;
  for (const line of text.split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (word === 'HELP') help = rest;
    else if (word === 'TYPE') {
      lines.push(...headOf(name, rest, help));
      help = undefined;
    } else if (line !== '' && !line.startsWith('#')) lines.push(sampleOf(line, bySeries));
  }
  return `${lines.join('\n')}\n# EOF\n`;
};

const TOTAL = '_total';

const headOf = (name: string, type: string, help: string | undefined): string[] => {
  const isCounter = type === 'counter' && name.endsWith(TOTAL);
  const family = isCounter ? name.slice(0, -TOTAL.length) : name;
  const word = type === 'untyped' || (type === 'counter' && !isCounter) ? 'unknown' : type;
  return [
    `# TYPE ${family} ${word}`,
    ...(help === undefined ? [] : [`# HELP ${family} ${help.replaceAll('"', '\\"')}`]),
  ];
};

const sampleOf = (line: string, bySeries: ReadonlyMap<string, Exemplar>): string => {
  const exemplar = bySeries.size === 0 ? undefined : bySeries.get(line.slice(0, line.lastIndexOf(' ')));
  return exemplar === undefined ? line : `${line}${exemplarText(exemplar)}`;
};
