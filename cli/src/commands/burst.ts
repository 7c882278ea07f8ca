import { ask } from '../ask.ts';
import { dataDirOf, readRunFile } from '../run-file.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface BurstOptions {
  readonly count: number;
  readonly atOnce: number;
  readonly header: readonly string[];
  readonly token?: string;
  readonly tenant?: string;
  readonly proxy?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

interface Sums {
  readonly statuses: Record<string, number>;
  readonly timesMs: number[];
  /** Of the newest answer of each status. */
  readonly requestIds: Record<string, string>;
  /** Why requests got no answer. */
  readonly failures: Record<string, number>;
}

const TIMEOUT_MS = 30_000;
const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*)$/;

/** Sends so many requests to the gateway and sums up its answers. Ends with 3 when one got none. */
export const burst = async (path: string, options: BurstOptions, io: Surroundings): Promise<number> => {
  const proxy = options.proxy ?? readRunFile(dataDirOf(io, options.dataDir))?.proxy;
  if (proxy === undefined)
    return refuse(
      io,
      EXIT.environment,
      'no gateway runs here: start one with npm start, or give --proxy',
      options,
    );
  if (!path.startsWith('/'))
    return refuse(io, EXIT.invalid, `the path is ${path}: give one that starts with /`, options);
  const headers = headersOf(options);
  if (typeof headers === 'string') return refuse(io, EXIT.invalid, headers, options);
  const sums: Sums = { statuses: {}, timesMs: [], requestIds: {}, failures: {} };
  let left = options.count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      await sendOne(`${proxy}${path}`, headers, sums);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, options.count) }, client));
  if (options.json) printJson(io.out, shown(sums));
  else for (const line of linesOf(sums, io)) printLine(io.out, line);
  return Object.keys(sums.failures).length === 0 ? EXIT.ok : EXIT.environment;
};

/** A text: what is wrong with one of them. */
const headersOf = ({ header, token, tenant }: BurstOptions): Readonly<Record<string, string>> | string => {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (tenant !== undefined) headers['x-tenant-id'] = tenant;
  for (const line of header) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return `--header '${line}': give it as 'Name: value'`;
    headers[name] = value;
  }
  return headers;
};

const sendOne = async (url: string, headers: Readonly<Record<string, string>>, sums: Sums): Promise<void> => {
  const begun = performance.now();
  try {
    const { status, header } = await ask(url, { headers, timeoutMs: TIMEOUT_MS });
    sums.timesMs.push(performance.now() - begun);
    sums.statuses[status] = (sums.statuses[status] ?? 0) + 1;
    const id = header('x-kong-request-id');
    if (id !== undefined) sums.requestIds[status] = id;
  } catch (error) {
    const { message } = error as Error;
    sums.failures[message] = (sums.failures[message] ?? 0) + 1;
  }
};

const shown = ({ statuses, timesMs, requestIds, failures }: Sums) => {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { statuses, p50Ms: at(0.5), p99Ms: at(0.99), requestIds, failures };
};

const linesOf = (sums: Sums, io: Surroundings): string[] => {
  const { statuses, p50Ms, p99Ms, requestIds, failures } = shown(sums);
  return [
    ...Object.entries(statuses).map(([status, count]) => {
      const tone = Number(status) < 400 ? 'green' : Number(status) < 500 ? 'yellow' : 'red';
      const why = Number(status) < 400 ? '' : `  why: sluice explain ${requestIds[status] ?? '<id>'}`;
      return `${`${count}`.padStart(7)}  ${paint(io.out, tone, status)}${why}`;
    }),
    ...Object.entries(failures).map(
      ([why, count]) => `${`${count}`.padStart(7)}  ${paint(io.out, 'red', why)}`,
    ),
    `half within ${p50Ms.toFixed(1)} ms, 99 of 100 within ${p99Ms.toFixed(1)} ms`,
  ];
};
