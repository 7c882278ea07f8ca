import { markdownTable } from '../report/docs.ts';
import type { Figures } from './figures.ts';
import { ASSUMED, breaksFirst, CARRIED, loadOf, type Spread, type Tenants } from './model.ts';

const MIXES: readonly (readonly [title: string, mix: readonly Tenants[]])[] = [
  ['1,000 × 10', [{ count: 1000, rate: 10 }]],
  ['20 × 1,000', [{ count: 20, rate: 1000 }]],
  ['1 × 100,000', [{ count: 1, rate: 100_000 }]],
  [
    'all of these',
    [
      { count: 1000, rate: 10 },
      { count: 20, rate: 1000 },
      { count: 1, rate: 100_000 },
    ],
  ],
];

const SPREADS: Readonly<Record<Spread, string>> = {
  anywhere: 'any edge',
  pinned: 'pinned',
  exact: 'exact',
};

const whole = (value: number): string => Math.round(value).toLocaleString('en');
/** Two digits that count. */
const rough = (value: number): string => (value >= 10 ? whole(value) : `${Number(value.toPrecision(2))}`);
const perSecond = (us: number, cores: number): string => whole(Number(((cores * 1e6) / us).toPrecision(2)));

const costs = (f: Figures): string =>
  markdownTable(
    ['step', 'µs of CPU', 'in a second, at 60 %', 'of'],
    [
      ['a request, plain route', f.edgePlainUs, ASSUMED.load, 'one edge (one core)'],
      ['a request, full chain, leased limits', f.edgeLeasedUs, ASSUMED.load, 'one edge'],
      ['a request, full chain, exact limits', f.edgeExactUs, ASSUMED.load, 'one edge'],
      [
        'a question with its answer',
        f.natsQuestionUs * ASSUMED.natsHops,
        CARRIED.nats,
        'NATS, three servers',
      ],
      [
        'a check, 16 in a message',
        f.natsBatchedCheckUs * ASSUMED.natsHops,
        CARRIED.nats,
        'NATS, three servers',
      ],
      ['a check of three windows', f.redisCheckUs, CARRIED.redis, 'one Redis primary'],
      ['a lease and its return', f.redisLeaseUs, CARRIED.redis, 'one Redis primary'],
      ['a check or lease', f.limiterUs, ASSUMED.load, 'one ratelimit'],
      ['a token never seen', f.newTokenUs / 2, ASSUMED.load, 'one auth'],
    ].map(([step, us, cores, of]) => [
      `${step}`,
      rough(Number(us)),
      perSecond(Number(us), Number(cores)),
      `${of}`,
    ]),
  );

const loads = (figures: Figures): string =>
  markdownTable(
    [
      'tenants × req/s',
      'to',
      'edges',
      'checks/s',
      'leases/s',
      'new tokens/s',
      'bus MB/s',
      'NATS',
      'Redis',
      'limiters',
      'auth',
      'first',
    ],
    MIXES.flatMap(([title, mix]) =>
      (Object.keys(SPREADS) as Spread[]).map((spread) => {
        const load = loadOf(figures, mix, spread);
        const first = breaksFirst(load);
        const counts = [load.edges, load.checks, load.leases, load.verifies, load.megabytes].map(rough);
        const cores = [load.nats / CARRIED.nats, load.redis / CARRIED.redis].map(
          (share) => `${rough(share * 100)} %`,
        );
        const processes = [load.limiters, load.auth].map((busy) => whole(Math.ceil(busy / ASSUMED.load)));
        return [
          title,
          SPREADS[spread],
          ...counts,
          ...cores,
          ...processes,
          `${first.what}, at × ${rough(first.times)}`,
        ];
      }),
    ),
  );

/** What goes between the marks of docs/scale.md. */
export const scaleTables = (figures: Figures): string =>
  [
    `NATS and Redis: ${figures.on}. Edges, ratelimit and auth: [performance](performance.md).`,
    costs(figures),
    loads(figures),
  ].join('\n\n');
