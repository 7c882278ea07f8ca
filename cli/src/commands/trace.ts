import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import { barOf, milliseconds, printable } from './explain.ts';

export interface TraceOptions extends AdminOptions {
  readonly service?: string;
  readonly limit: number;
}

/** What `GET /traces` and `GET /traces/{id}` answer, as far as it is shown. */
interface Summary {
  readonly traceId: string;
  readonly name: string;
  readonly service: string;
  readonly at: number;
  readonly us: number;
  readonly spans: number;
  readonly isFailed: boolean;
}
interface Waterfall extends Summary {
  readonly leftOut: number;
  readonly bars: readonly {
    readonly depth: number;
    readonly service: string;
    readonly name: string;
    readonly fromUs: number;
    readonly us: number;
    readonly failure?: string;
    readonly events?: readonly {
      readonly name: string;
      readonly attributes: Readonly<Record<string, unknown>>;
    }[];
    readonly links?: readonly string[];
  }[];
}

/** One recorded trace as a waterfall, or a list of the newest. */
export const trace = (id: string | undefined, options: TraceOptions, io: Surroundings): Promise<number> =>
  id === undefined ? list(options, io) : show(id, options, io);

const list = async (options: TraceOptions, io: Surroundings): Promise<number> => {
  const { limit, service } = options;
  const query = new URLSearchParams({ limit: `${limit}`, ...(service === undefined ? {} : { service }) });
  const found = await askAdmin<{ data: readonly Summary[] }>(options, io, `/traces?${query}`);
  if (typeof found === 'number') return found;
  if (options.json) for (const one of found.data) printJson(io.out, one);
  else for (const one of [...found.data].reverse()) printLine(io.out, lineOf(one, io));
  if (found.data.length === 0)
    printLine(io.err, 'No trace is remembered: see docs/guides/observe.md, Traces');
  return EXIT.ok;
};

const lineOf = ({ traceId, name, service, at, us, spans, isFailed }: Summary, io: Surroundings): string => {
  const what = `${printable(name)} (${printable(service)})`;
  const parts = [new Date(at).toISOString(), traceId, milliseconds(us).padStart(10), `${spans} spans`, what];
  return paint(io.out, isFailed ? 'red' : 'reset', parts.join('  '));
};

const show = async (id: string, options: TraceOptions, io: Surroundings): Promise<number> => {
  const found = await askAdmin<Waterfall>(options, io, `/traces/${encodeURIComponent(id)}`);
  if (typeof found === 'number') return found;
  if (options.json) {
    printJson(io.out, found);
    return EXIT.ok;
  }
  const { traceId, us, at, bars, leftOut } = found;
  printLine(io.out, paint(io.out, 'bold', `${traceId}  ${milliseconds(us)}  ${new Date(at).toISOString()}`));
  for (const { depth, service, name, failure, events = [], links = [], ...stretch } of bars) {
    const said = `${'  '.repeat(depth)}${service}: ${name}${failure === undefined ? '' : ` ✖ ${failure}`}`;
    printLine(io.out, `  ${barOf({ ...stretch, name: said }, us)}`);
    const inside = '  '.repeat(depth + 2);
    for (const event of events) printLine(io.out, printable(`${inside}· ${eventWords(event)}`));
    if (links.length > 0) printLine(io.out, printable(`${inside}also for ${links.join(', ')}`));
  }
  if (leftOut > 0) printLine(io.out, `  and ${leftOut} spans more, which were not kept`);
  return EXIT.ok;
};

type Event = NonNullable<Waterfall['bars'][number]['events']>[number];

const eventWords = ({ name, attributes }: Event): string =>
  [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key.replace(/^sluice\.plugin\./, '')} ${value}`),
  ].join(' ');
