import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface TailOptions extends AdminOptions {
  readonly tenant?: string;
  readonly route?: string;
  readonly status?: number;
  readonly flagged?: boolean;
  readonly limit: number;
  readonly follow?: boolean;
}

interface Shown {
  readonly requestId: string;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly tenant?: string;
  readonly route?: { readonly id: string; readonly name?: string };
  readonly refusal?: { readonly code: string; readonly reason?: string };
  readonly upstream?: { readonly target: string };
  readonly timing: { readonly totalUs: number };
}

interface Page {
  readonly data: readonly Shown[];
  readonly missed: number;
  readonly next: string;
}

const LOOK_EVERY_MS = 500;
/** So many records of a busy edge come in one look. */
const FOLLOW_LIMIT = 500;

/** The latest requests, the oldest first; with --follow those to come, too, until it is stopped. */
export const tail = async (options: TailOptions, io: Surroundings): Promise<number> => {
  const first = await readAdmin<Page>(options, io, pathOf(options, options.limit));
  if (!first.ok) return refuse(io, first.exitCode, first.why, options);
  show(first.value, options, io);
  if (options.follow !== true) return EXIT.ok;
  let { next } = first.value;
  let isAway = false;
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const page = await readAdmin<Page>(options, io, pathOf(options, FOLLOW_LIMIT, next));
    if (!page.ok) {
      if (!isAway) printLine(io.err, `${paint(io.err, 'yellow', '!')} ${page.why}; still trying`);
      isAway = true;
      continue;
    }
    isAway = false;
    next = page.value.next;
    if (page.value.missed > 0)
      printLine(
        io.err,
        `${paint(io.err, 'yellow', '!')} ${page.value.missed} requests were forgotten unseen`,
      );
    show(page.value, options, io);
  }
};

const pathOf = ({ tenant, route, status, flagged }: TailOptions, limit: number, after?: string): string => {
  const query = new URLSearchParams({ limit: `${limit}` });
  for (const [name, value] of Object.entries({
    tenant,
    route,
    status,
    flagged: flagged ? 1 : undefined,
    after,
  }))
    if (value !== undefined) query.set(name, `${value}`);
  return `/decisions?${query}`;
};

const show = ({ data }: Page, { json }: TailOptions, io: Surroundings): void => {
  for (const record of data) {
    if (json) printJson(io.out, record);
    else printLine(io.out, lineOf(record, io));
  }
};

const lineOf = (record: Shown, io: Surroundings): string => {
  const { status, tenant, route, refusal, upstream, timing } = record;
  const tone = status < 400 ? 'green' : status < 500 ? 'yellow' : 'red';
  const why = refusal === undefined ? `→ ${upstream?.target ?? '-'}` : (refusal.reason ?? refusal.code);
  return [
    new Date(record.at).toISOString().slice(11, 23),
    paint(io.out, tone, `${status}`),
    `${(timing.totalUs / 1000).toFixed(1).padStart(8)} ms`,
    printable(`${record.method} ${record.path}`),
    printable(tenant ?? '-'),
    route?.name ?? route?.id ?? '-',
    why,
    record.requestId,
  ].join('  ');
};
