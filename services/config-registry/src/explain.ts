import type { DecisionRecord } from '@sluice/contracts';
import { type Told, toldByCode } from './explain-causes.ts';
import { type Configuration, oneOf, routeName, seconds } from './explain-words.ts';

/** One stretch of a request, in µs from its start. */
export interface Stretch {
  readonly name: string;
  readonly fromUs: number;
  readonly us: number;
}

/** The story of one request: who decided, by which figure, and how that is changed. */
export interface Explanation {
  readonly requestId: string;
  /** One sentence. */
  readonly headline: string;
  /** A short word, such as `rate_limit` or `token_expired`. */
  readonly cause: string;
  readonly decidedBy: {
    readonly kind: 'plugin' | 'gateway' | 'upstream';
    readonly name: string;
    /** Of the plugin entity. */
    readonly id?: string;
  };
  /** The figure that decided; absent where none did. */
  readonly number?: { readonly name: string; readonly value: number; readonly limit?: number };
  readonly because: readonly string[];
  readonly change: readonly string[];
  readonly waterfall: readonly Stretch[];
  readonly record: DecisionRecord;
}

/** Tells what became of a request. `configuration` is the one in force now, to name policies and what to change. */
export const explain = (record: DecisionRecord, configuration: Configuration): Explanation => {
  const told = record.refusal === undefined ? toldOfAnswer(record) : toldByCode(record, configuration);
  return {
    requestId: record.requestId,
    headline: `${record.status}: ${told.headline}`,
    cause: told.cause,
    decidedBy: told.decidedBy,
    ...(told.number === undefined ? {} : { number: told.number }),
    because: [...whoAndWhere(record, configuration), ...told.because, ...onTheWay(record)],
    change: told.change,
    waterfall: waterfallOf(record),
    record,
  };
};

const whoAndWhere = (record: DecisionRecord, { version }: Configuration): string[] => {
  const { tenant, consumer, method, path, host } = record;
  const who = [tenant && `tenant ${tenant}`, consumer && `consumer ${consumer}`].filter(Boolean).join(', ');
  const since =
    version === record.version ? '' : `; the configuration in force now is r${version}, it may say otherwise`;
  return [
    `${method} ${path}${host === undefined ? '' : ` at ${host}`} of ${who || 'somebody unknown'}, ${new Date(record.at).toISOString()}`,
    `matched ${routeName(record)} under configuration r${record.version} on ${record.instance}${since}`,
  ];
};

/** What the plugins before the end said, where that tells something. */
const onTheWay = ({ plugins, degraded }: DecisionRecord): string[] => [
  ...plugins
    .filter(({ verdict }) => verdict === 'passed')
    .flatMap(({ plugin, source, windows, quota }) => {
      const from = source === undefined ? '' : ` (${SOURCES[source]})`;
      if (windows !== undefined) {
        const left = windows.map(
          ({ period, limit, remaining }) => `${remaining} of ${limit} ${oneOf(period)}`,
        );
        return [`${plugin} let it pass${from}: left ${left.join(', ')}`];
      }
      if (quota !== undefined)
        return [`${plugin} let it pass${from}: used ${quota.used ?? '?'} of ${quota.limit ?? 'no limit'}`];
      return source === undefined ? [] : [`${plugin} let it pass${from}`];
    }),
  ...degraded.map((part) => `${part} could not be asked, so the edge decided alone`),
];

const SOURCES = {
  cache: 'remembered by the edge',
  lease: 'from a lease of the edge',
  service: 'asked for this request',
  local: 'by the edge alone',
} as const;

const toldOfAnswer = (record: DecisionRecord): Told => {
  const { outcome, status, upstream, timing } = record;
  const target = upstream?.target ?? 'no upstream';
  if (outcome === 'abandoned')
    return {
      ...{ headline: 'the client left before its answer began', cause: 'client_left' },
      decidedBy: { kind: 'gateway', name: 'edge-proxy' },
      number: { name: 'waited_ms', value: Math.round(timing.totalUs / 1000) },
      because: [`it waited ${seconds(timing.totalUs / 1000)}; ${target} had not answered by then`],
      change: ['give the client a longer timeout, or look at the upstream'],
    };
  if (outcome === 'answered') {
    const by = record.plugins.find(({ reason }) => reason === 'answered');
    return {
      headline: `${by?.plugin ?? 'a plugin'} answered in the upstream’s place`,
      cause: 'answered_by_plugin',
      decidedBy: { kind: 'plugin', name: by?.plugin ?? 'the chain', ...(by && { id: by.id }) },
      because: ['nothing was sent to the upstream'],
      change: by === undefined ? [] : [`look at the policy: GET /plugins/${by.id}`],
    };
  }
  const isRefusal = status >= 400;
  return {
    headline: isRefusal
      ? `the upstream ${target} itself answered ${status}; the gateway let the request pass`
      : `answered by ${target}`,
    cause: isRefusal ? 'upstream_answer' : 'forwarded',
    decidedBy: { kind: 'upstream', name: target },
    number: { name: 'upstream_status', value: upstream?.status ?? status },
    because: [
      `${target} answered ${upstream?.status ?? status} after ${seconds((timing.upstreamUs ?? 0) / 1000)}`,
    ],
    change: isRefusal
      ? [
          `look into the log of ${target} for trace ${record.traceId}; no setting of the gateway changes its answer`,
        ]
      : [],
  };
};

/** Parts in the order they came; what is left between them is the gateway's own work. */
const waterfallOf = ({ timing, plugins, upstream }: DecisionRecord): Stretch[] => {
  const { totalUs, gatewayUs, upstreamUs } = timing;
  const own = gatewayUs ?? totalUs;
  const stretches: Stretch[] = [{ name: 'gateway', fromUs: 0, us: own }];
  let fromUs = 0;
  for (const { plugin, us, source } of plugins)
    if (us !== undefined) {
      stretches.push({ name: source === 'service' ? `${plugin} (asked)` : plugin, fromUs, us });
      fromUs += us;
    }
  if (gatewayUs === undefined) return stretches;
  const answer = upstreamUs ?? Math.max(0, totalUs - gatewayUs);
  stretches.push({ name: `upstream ${upstream?.target ?? ''}`.trim(), fromUs: gatewayUs, us: answer });
  const rest = totalUs - gatewayUs - answer;
  if (upstreamUs !== undefined && rest > 0)
    stretches.push({ name: 'answer to the client', fromUs: gatewayUs + answer, us: rest });
  return stretches;
};
