import type { QuotaStanding, Quotas } from '../api/policy-answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, type Column, Figure, Head, Panel, Table } from '../parts/frame.tsx';
import { Meter } from '../parts/meter.tsx';
import { type Policy, usePolicies } from '../parts/policies.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { goTo, linkTo, type Place } from '../place.ts';
import { count, dayAndClock, quoted } from '../words.ts';

const LOOK_EVERY_MS = 3000;
const SHOWN = 50;
const LISTS = ['all', 'alert', 'exceeded', 'stale'] as const;
type Show = (typeof LISTS)[number];
const WORDS: Readonly<Record<Show, string>> = {
  all: 'All',
  alert: 'Past the alert line',
  exceeded: 'Used up',
  stale: 'Period is over',
};

/** Who has used how much of what they paid for, the largest share first. */
export const QuotaPage = ({ place: { query } }: { place: Place }) => {
  const show = LISTS.find((one) => one === query.get('show')) ?? 'all';
  const search = query.get('search') ?? '';
  const offset = Number(query.get('offset') ?? 0) || 0;
  const asked = new URLSearchParams({ show, search, limit: `${SHOWN}`, offset: `${offset}` });
  const { value, error, again } = useAnswer<Quotas>(`/sluice/quotas?${asked}`, LOOK_EVERY_MS);
  const flags = `${show === 'all' ? '' : ` --show ${show}`}${search === '' ? '' : ` --search ${quoted(search)}`}`;
  return (
    <>
      <Head title="Quotas" />
      {error && <Problem error={error} again={again} />}
      {value === undefined && error === undefined && <Waiting what="Asking for the quotas" />}
      {value !== undefined && <Counts of={value} />}
      <Search show={show} search={search} />
      {value !== undefined && <Tenants of={value} {...{ show, search, offset }} />}
      <PoliciesPanel />
      <Commands texts={[`sluice quota list${flags}`, 'sluice quota reconcile']} />
    </>
  );
};

const Counts = ({ of: { counts, alertThreshold } }: { of: Quotas }) => (
  <dl class="figures">
    <Figure name="Tenants with a quota" value={count(counts.all)} />
    <Figure
      name="Past the alert line"
      value={count(counts.alert)}
      unit={`at ${alertThreshold} %`}
      tone={counts.alert > 0 ? 'warn' : 'plain'}
    />
    <Figure name="Used up" value={count(counts.exceeded)} tone={counts.exceeded > 0 ? 'bad' : 'plain'} />
    <Figure name="Period is over" value={count(counts.stale)} unit="nothing newer came" />
  </dl>
);

const Search = ({ show, search }: { show: Show; search: string }) => {
  const set = (change: { show?: string; search?: string }) => {
    const wanted = { show, search, ...change };
    goTo(linkTo('quota', undefined, { ...wanted, show: wanted.show === 'all' ? '' : wanted.show }));
  };
  return (
    <search>
      <div class="fields">
        <label>
          Tenant, or a part of the name
          <input
            type="search"
            value={search}
            spellcheck={false}
            onChange={(event) => set({ search: event.currentTarget.value.trim() })}
          />
        </label>
        <label class="short">
          Which
          <select value={show} onChange={(event) => set({ show: event.currentTarget.value })}>
            {LISTS.map((one) => (
              <option key={one} value={one}>
                {WORDS[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
    </search>
  );
};

const Tenants = ({
  of: { data, found, counts },
  show,
  search,
  offset,
}: {
  of: Quotas;
  show: Show;
  search: string;
  offset: number;
}) => {
  const page = (from: number) =>
    linkTo('quota', undefined, { ...{ show, search }, offset: from <= 0 ? '' : `${from}` });
  const last = offset + data.length;
  return (
    <Panel title="Tenants" aside={found === 0 ? '' : `${offset + 1} to ${last} of ${count(found)}`}>
      {data.length === 0 ? (
        <Empty title={counts.all === 0 ? 'No tenant has a quota' : 'No tenant fits'}>
          <p>
            {counts.all === 0
              ? 'They come from LiteLLM as events quota.updated; none has come yet.'
              : 'Look for a part of the name, or at all of them.'}
          </p>
          {counts.all > 0 && <a href={linkTo('quota')}>All tenants</a>}
        </Empty>
      ) : (
        <Table label="Quotas" isStacked columns={COLUMNS} rows={data} keyOf={({ tenantId }) => tenantId} />
      )}
      <p>
        {offset > 0 && <a href={page(offset - SHOWN)}>Those with more</a>}{' '}
        {last < found && <a href={page(last)}>Those with less</a>}
      </p>
    </Panel>
  );
};

const COLUMNS: readonly Column<QuotaStanding>[] = [
  { title: 'Tenant', cell: ({ tenantId }) => <a href={linkTo('tenant', tenantId)}>{tenantId}</a> },
  { title: 'State', cell: (one) => <State of={one} /> },
  {
    title: 'Used',
    cell: ({ used, limit }) => (
      <span class="number">
        {count(used)} of {count(limit)}
      </span>
    ),
  },
  {
    title: 'Share',
    cell: ({ share, stale }) =>
      share === null ? (
        'the limit is 0'
      ) : (
        <>
          {count(Math.floor(share * 100 + 1e-9))} %{!stale && <Meter share={share} />}
        </>
      ),
  },
  {
    title: 'Resets',
    cell: ({ resetAt, period }) => (resetAt === null ? `not told, ${period}` : whenOf(resetAt)),
  },
  { title: 'Told', isExtra: true, cell: ({ lastUpdated }) => whenOf(lastUpdated) },
];

/** As it was told where it is no instant. */
const whenOf = (text: string): string => (Number.isNaN(Date.parse(text)) ? text : dayAndClock(text));

const State = ({ of: { stale, condition } }: { of: QuotaStanding }) => {
  if (stale) return <Badge tone="plain">period is over</Badge>;
  if (condition === 'exceeded') return <Badge tone="bad">used up</Badge>;
  return condition === 'alert' ? <Badge tone="warn">alert</Badge> : <Badge tone="good">ok</Badge>;
};

/** What happens to whom has used up a quota: that is configuration. */
const PoliciesPanel = () => {
  const { policies, error, again } = usePolicies('quota-mirror');
  return (
    <Panel title="What follows from it" aside="the policies quota-mirror">
      {error && <Problem error={error} again={again} />}
      {policies === undefined && error === undefined && <Waiting what="Reading the policies" />}
      {policies?.length === 0 && (
        <Empty title="Nothing: no quota-mirror is configured">
          <p>Quotas are told and kept; nobody is warned or refused by them.</p>
        </Empty>
      )}
      {policies !== undefined && policies.length > 0 && (
        <ul class="list">
          {policies.map((one) => (
            <li key={one.id}>
              <Does of={one} /> <span>{one.where}</span>
              <span class="muted">warns from {`${one.config.alert_threshold_percentage}`} % on</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
};

const Does = ({ of: { isEnabled, config } }: { of: Policy }) => {
  if (!isEnabled) return <Badge tone="plain">off</Badge>;
  return config.block_on_quota_exceeded === true ? (
    <Badge tone="bad">refuses with 429</Badge>
  ) : (
    <Badge tone="good">refuses nobody</Badge>
  );
};
