/** One process's metrics in the Prometheus text format 0.0.4. */
export interface Scrape {
  readonly instance: string;
  readonly text: string;
}

interface Family {
  help: string | undefined;
  type: string | undefined;
  readonly samples: string[];
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** The labels end at the last brace: a value or timestamp holds none, a label value may. */
const withInstance = (sample: string, label: string): string => {
  const close = sample.lastIndexOf('}');
  if (close === -1) return sample.replace(/^(\S+)/, `$1{${label}}`);
  const isEmpty = sample[close - 1] === '{';
  return `${sample.slice(0, close)}${isEmpty ? '' : ','}${label}${sample.slice(close)}`;
};

/**
 * One text from the metrics of many processes: every sample gets the label `instance`, last, and every family
 * appears once with its HELP and TYPE, as the format demands.
 */
export const federateMetrics = (scrapes: readonly Scrape[]): string => {
  const families = new Map<string, Family>();
  const family = (name: string): Family => {
    const found = families.get(name) ?? { help: undefined, type: undefined, samples: [] };
    families.set(name, found);
    return found;
  };
  for (const { instance, text } of scrapes) {
    const label = `instance="${escapeLabel(instance)}"`;
    let current = '';
    for (const line of text.split('\n')) {
      const header = /^# (HELP|TYPE) (\S+)/.exec(line);
      if (header !== null) {
        const [, word, name = ''] = header;
        current = name;
        if (word === 'HELP') family(name).help ??= line;
        else family(name).type ??= line;
      } else if (line !== '' && !line.startsWith('#')) {
        const name = /^[^\s{]+/.exec(line)?.[0] ?? '';
        family(belongsTo(name, current) ? current : name).samples.push(withInstance(line, label));
      }
    }
  }
  const lines = [...families.values()]
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ help, type, samples }) => [help, type, ...samples]);
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`;
};

/** A series of one process as the federated text has it. */
export const seriesOf = (series: string, instance: string): string =>
  withInstance(series, `instance="${escapeLabel(instance)}"`);

const belongsTo = (sample: string, family: string): boolean =>
  sample === family ||
  (sample.startsWith(family) && /^_(?:bucket|sum|count|total)$/.test(sample.slice(family.length)));
