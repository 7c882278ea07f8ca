import { type EdgeShadow, type ShadowDifference, type ShadowView, sumShadow } from '@sluice/contracts';
import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface ShadowOptions extends AdminOptions {
  readonly route?: string;
  /** Differences to show of each route. */
  readonly examples: number;
}

interface Answer {
  readonly data: readonly EdgeShadow[];
  readonly edges: { readonly live: number; readonly answered: number };
}

/** How the answers of a second gateway compare with ours, by route, with requests where they differ. */
export const shadow = async (options: ShadowOptions, io: Surroundings): Promise<number> => {
  const query = new URLSearchParams({ examples: `${options.examples}` });
  if (options.route !== undefined) query.set('route', options.route);
  const answer = await askAdmin<Answer>(options, io, `/shadow?${query}`);
  if (typeof answer === 'number') return answer;
  const { data, edges } = answer;
  const since = Math.min(...data.map((edge) => edge.since));
  const routes = sumShadow(data, options.examples);
  if (options.json) printJson(io.out, { since: data.length === 0 ? null : since, edges, routes });
  else for (const line of linesOf(routes, { since, edges }, io)) printLine(io.out, line);
  return EXIT.ok;
};

const NOTHING =
  'no request was copied: put the plugin shadow on a route, a service or all of them, see docs/guides/move-from-kong.md';
const HEAD = ['copies', 'equal', 'different', 'no answer', 'not copied'];
const WIDTH = 11;

const linesOf = (
  routes: readonly ShadowView[],
  { since, edges }: { since: number; edges: Answer['edges'] },
  io: Surroundings,
): string[] => {
  const asked = `${edges.answered} of ${edges.live} edges answered`;
  if (routes.length === 0) return [asked, NOTHING];
  const head = HEAD.map((title) => title.padStart(WIDTH)).join('');
  return [
    `since ${new Date(since).toISOString()} · ${asked}`,
    '',
    paint(io.out, 'bold', `${head}  route`),
    ...routes.map((view) => rowOf(view, io)),
    ...reasonsIn(routes),
    ...examplesIn(routes, io),
  ];
};

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Cut, never rounded up: 100 % is said of nothing that differs. */
const percentOf = (share: number | undefined): string =>
  share === undefined ? '-' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

const nameOf = (route: string): string => (route === '' ? '(no route)' : printable(route));

const rowOf = ({ route, copies, equalShare, different, failed, skipped }: ShadowView, io: Surroundings) => {
  const cells = [`${copies}`, percentOf(equalShare), `${different}`, `${failed}`, `${total(skipped)}`];
  const row = cells.map((cell) => cell.padStart(WIDTH)).join('');
  const tone = different > 0 ? 'red' : failed > 0 ? 'yellow' : 'green';
  return `${paint(io.out, tone, row)}  ${nameOf(route)}`;
};

const NO_ANSWER = (name: string): boolean => name !== 'equal' && name !== 'different';

const reasonsIn = (routes: readonly ShadowView[]): string[] => {
  const line = (title: string, counts: readonly Readonly<Record<string, number>>[]): string[] => {
    const sums = new Map<string, number>();
    for (const [name, count] of counts.flatMap((one) => Object.entries(one)))
      sums.set(name, (sums.get(name) ?? 0) + count);
    const told = [...sums].map(([name, count]) => `${printable(name)} ${count}`).join(', ');
    return told === '' ? [] : [`${title}: ${told}`];
  };
  const failures = routes.map(({ outcomes }) =>
    Object.fromEntries(Object.entries(outcomes).filter(([name]) => NO_ANSWER(name))),
  );
  const uncompared = routes.reduce((sum, route) => sum + route.uncompared, 0);
  const lines = [
    ...line('no answer', failures),
    ...line(
      'not copied',
      routes.map(({ skipped }) => skipped),
    ),
    ...(uncompared === 0 ? [] : [`bodies too large to be compared: ${uncompared}`]),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
};

const examplesIn = (routes: readonly ShadowView[], io: Surroundings): string[] => {
  const lines = routes.flatMap(({ route, examples }) =>
    examples.map(({ at, method, differences, requestId }) =>
      [
        new Date(at).toISOString().slice(11, 23),
        nameOf(route),
        printable(method),
        differences.map(textOf).join(', '),
        printable(requestId),
      ].join('  '),
    ),
  );
  if (lines.length === 0) return [];
  return [
    '',
    paint(io.out, 'bold', 'differences, here → there'),
    ...lines,
    'sluice explain <id> says what this gateway did; the second one logs the id as X-Sluice-Shadow.',
  ];
};

const textOf = ({ kind, name, here, there }: ShadowDifference): string => {
  const what = printable(name === undefined ? kind : `${kind} ${name}`);
  if (here === undefined || there === undefined) return what;
  return `${what} ${here} → ${there}${kind === 'body' ? ' bytes' : ''}`;
};
