/** One thing that can be measured. */
export interface Section {
  readonly what: string;
  readonly run: () => Promise<unknown>;
  /** Its arguments in the short form of everything. */
  readonly quick: readonly string[];
  /** When everything is measured, it is ended after so long. */
  readonly maxMinutes: number;
}

export const SECTIONS: Readonly<Record<string, Section>> = {
  chain: {
    what: 'a request through every chain, beside other gateways',
    run: () => import('./chain/chain.ts'),
    ...{ quick: ['--quick'], maxMinutes: 40 },
  },
  streams: {
    what: 'a thousand open streams of events',
    run: () => import('./streams/streams.ts'),
    ...{ quick: ['--quick'], maxMinutes: 5 },
  },
  overload: {
    what: 'three times what an edge can do: what is answered, what is refused, how soon it is over',
    run: () => import('./overload/overload.ts'),
    ...{ quick: ['--quick'], maxMinutes: 5 },
  },
  outages: {
    what: 'what requests wait for while a dependency is away, and how soon all is as before',
    run: () => import('./outages/outages.ts'),
    ...{ quick: ['--quick'], maxMinutes: 10 },
  },
  leases: {
    what: 'what leases admit and refuse, against what is stated',
    run: () => import('./leases/leases.ts'),
    ...{ quick: ['--quick'], maxMinutes: 10 },
  },
  quota: {
    what: 'quota events per second, and their exact result',
    run: () => import('./quota/quota.ts'),
    ...{ quick: ['--quick'], maxMinutes: 10 },
  },
  scale: {
    what: 'what a fleet needs for a load, computed; --measure measures the servers anew',
    run: () => import('./scale/scale.ts'),
    ...{ quick: [], maxMinutes: 3 },
  },
  memory: {
    what: 'memory of an edge with 10,000 routes and 50,000 tokens',
    run: () => import('./memory/memory.ts'),
    ...{ quick: ['--quick'], maxMinutes: 10 },
  },
  router: {
    what: 'look-up of a route',
    run: () => import('./router.ts'),
    ...{ quick: [], maxMinutes: 3 },
  },
  guard: {
    what: 'prompt-guard: CPU for a body of 4 KB, and for texts made to be dear',
    run: () => import('./guard/guard.ts'),
    ...{ quick: [], maxMinutes: 3 },
  },
  config: {
    what: 'a whole configuration, from the POST to the edges',
    run: () => import('./config.ts'),
    ...{ quick: ['1000', 'yaml'], maxMinutes: 10 },
  },
  propagation: {
    what: 'one change among 10,000 routes, to every edge',
    run: () => import('./propagation.ts'),
    ...{ quick: [], maxMinutes: 5 },
  },
  revoke: {
    what: 'how soon a revoked token and a revoked key are refused by two edges',
    run: () => import('./revoke.ts'),
    ...{ quick: [], maxMinutes: 5 },
  },
  forged: {
    what: 'what a forged token costs, beside good ones that nobody has seen',
    run: () => import('./forged/forged.ts'),
    ...{ quick: ['--quick'], maxMinutes: 5 },
  },
  forward: {
    what: 'a plain route beside a bare proxy, both engines',
    run: () => import('./forward.ts'),
    ...{ quick: [], maxMinutes: 5 },
  },
  start: {
    what: 'size of each service and how soon it is ready, as in its image',
    run: () => import('./start.ts'),
    ...{ quick: ['2'], maxMinutes: 3 },
  },
  profile: {
    what: 'where an edge spends its time: functions and flame graph',
    run: () => import('./profile/profile.ts'),
    ...{ quick: ['--warm-up', '5', '--seconds', '3'], maxMinutes: 3 },
  },
};

const width = Math.max(...Object.keys(SECTIONS).map(({ length }) => length));

export const USAGE = `usage: npm run bench                 everything, one after the other
       npm run bench -- --quick      the short form of everything
       npm run bench -- NAME [flags]
${Object.entries(SECTIONS)
  .map(([name, { what }]) => `  ${name.padEnd(width)}  ${what}`)
  .join('\n')}`;
