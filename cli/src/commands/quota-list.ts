import type { QUOTA_LISTS, QuotaStanding } from '@sluice/contracts';
import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

interface ListOptions extends AdminOptions {
  readonly show: (typeof QUOTA_LISTS)[number];
  readonly search?: string;
  readonly limit: number;
}

interface Answer {
  readonly data: readonly QuotaStanding[];
  readonly found: number;
}

/** Tenants by how much of their quota they have used, the largest share first. */
export const listQuotas = async (options: ListOptions, io: Surroundings): Promise<number> => {
  const { show, search, limit } = options;
  const query = new URLSearchParams({ show, limit: `${limit}`, ...(search === undefined ? {} : { search }) });
  const answer = await askAdmin<Answer>(options, io, `/sluice/quotas?${query}`);
  if (typeof answer === 'number') return answer;
  if (options.json) {
    printJson(io.out, answer);
    return EXIT.ok;
  }
  for (const one of answer.data) printLine(io.out, lineOf(one, io));
  const shown = answer.data.length;
  printLine(io.err, shown === 0 ? 'no tenant fits' : `${shown} of ${answer.found} tenants`);
  return EXIT.ok;
};

const COLOURS = { ok: 'reset', alert: 'yellow', exceeded: 'red' } as const;

const lineOf = (
  { tenantId, used, limit, share, resetAt, stale, condition }: QuotaStanding,
  io: Surroundings,
) => {
  const percent = share === null ? '    –' : `${Math.floor(share * 100 + 1e-9)} %`.padStart(5);
  const resets = resetAt === null ? '' : `, ${stale ? 'was to reset' : 'resets'} at ${resetAt}`;
  const text = `${percent}  ${tenantId}  ${used} of ${limit} used${resets}${stale ? ' (its period is over)' : ''}`;
  return paint(io.out, stale ? 'reset' : COLOURS[condition], printable(text));
};
