import type { DecisionRecord, PluginVerdict, WindowState } from '@sluice/contracts';
import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

/** The latest requests of each edge that are looked at. */
const LOOK_BACK = 500;

interface LimitsOptions extends AdminOptions {
  readonly route?: string;
}

/** A budget or quota as the tenant's newest request found it. */
interface Standing {
  readonly plugin: string;
  /** Of the plugin entity. */
  readonly policy: string;
  readonly bucket: string;
  readonly route: string;
  /** When that request came; Unix ms. */
  readonly at: number;
  readonly windows: readonly WindowState[];
  readonly quota?: PluginVerdict['quota'];
}

/** How a tenant stands with each limit and quota, as its latest requests found them. Asks edges, and counts nothing. */
export const limits = async (tenant: string, options: LimitsOptions, io: Surroundings): Promise<number> => {
  const query = new URLSearchParams({ tenant, limit: `${LOOK_BACK}` });
  if (options.route !== undefined) query.set('route', options.route);
  const found = await askAdmin<{ data: readonly DecisionRecord[] }>(options, io, `/decisions?${query}`);
  if (typeof found === 'number') return found;
  const standings = standingsOf(found.data);
  const now = Date.now();
  for (const one of standings)
    if (options.json) printJson(io.out, one);
    else for (const line of linesOf(one, now, io)) printLine(io.out, line);
  if (standings.length === 0)
    printLine(
      io.err,
      `No request of ${printable(tenant)} that met a limit is remembered: let one come, and ask again`,
    );
  return EXIT.ok;
};

/** Of each budget the newest; the records come the oldest first. */
const standingsOf = (records: readonly DecisionRecord[]): Standing[] => {
  const newest = new Map<string, Standing>();
  for (const { at, route, plugins } of [...records].sort((a, b) => a.at - b.at))
    for (const { plugin, id, bucket = '', windows = [], quota } of plugins)
      if (windows.length > 0 || quota !== undefined)
        newest.set(`${id} ${bucket}`, {
          ...{ plugin, policy: id, bucket, route: route?.name ?? route?.id ?? '-', at, windows },
          ...(quota === undefined ? {} : { quota }),
        });
  return [...newest.values()];
};

const linesOf = (standing: Standing, now: number, io: Surroundings): string[] => {
  const { plugin, policy, route, at, windows, quota } = standing;
  const ago = Math.max(0, Math.round((now - at) / 1000));
  return [
    paint(io.out, 'bold', printable(`${plugin} ${policy}, on route ${route}, ${ago} s ago`)),
    ...windows.map(({ period, limit, remaining, resetMs }) => {
      const leftMs = at + resetMs - now;
      const resets = leftMs > 0 ? `resets in ${Math.ceil(leftMs / 1000)} s` : 'has begun anew since';
      const line = `  ${period.padEnd(8)}${limit - remaining} of ${limit} used, ${resets}`;
      return paint(io.out, remaining === 0 && leftMs > 0 ? 'red' : 'reset', line);
    }),
    ...(quota === undefined ? [] : [quotaLine(quota)]),
  ];
};

const quotaLine = ({ limit, used, stale, resetAt }: NonNullable<PluginVerdict['quota']>): string =>
  printable(
    `  quota   ${used ?? 'an unknown number'} of ${limit ?? 'unlimited'} used` +
      `${resetAt === undefined ? '' : `, resets at ${resetAt}`}${stale ? ', of a period that is over' : ''}`,
  );
