import { useState } from 'preact/hooks';
import type { DecisionRecord, Decisions, Rates } from '../api/answers.ts';
import { useLive } from '../api/live.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Figure, Head, Panel } from '../parts/frame.tsx';
import { Meter } from '../parts/meter.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { goTo, linkTo, type Place } from '../place.ts';
import { useMay } from '../session.ts';
import { clock, count, millis, quoted, rate } from '../words.ts';
import { groupRefusals } from './refusal-groups.ts';
import { RefusalStory } from './refusal-story.tsx';
import { RequestTable } from './request.tsx';
import { RevokeTenant } from './revoke-tenant.tsx';

const LOOK_EVERY_MS = 4000;
const MAX_RECORDS = 500;
const SAMPLES = 10;

/** The page for three at night: why is this tenant refused? */
export const TenantPage = ({ place: { subject } }: { place: Place }) =>
  subject === undefined ? <Choose /> : <OneTenant tenant={subject} />;

const Choose = () => {
  const { view } = useLive();
  const [tenant, setTenant] = useState('');
  const go = (event: Event) => {
    event.preventDefault();
    if (tenant.trim() !== '') goTo(linkTo('tenant', tenant.trim()));
  };
  const known = view?.tenants.filter(({ name }) => name !== '-') ?? [];
  return (
    <>
      <Head title="Tenants" />
      <search>
        <form class="fields" onSubmit={go}>
          <label>
            Tenant
            <input
              value={tenant}
              spellcheck={false}
              onInput={(event) => setTenant(event.currentTarget.value)}
            />
          </label>
          <button type="submit">Look</button>
        </form>
      </search>
      <Panel title="Asking now" aside="the last seconds">
        {known.length === 0 ? (
          <Empty title="No tenant asks now">
            <p>Write the name of one: edges remember their latest requests for longer.</p>
          </Empty>
        ) : (
          <ul class="list">
            {known.map((one) => (
              <li key={one.name}>
                <a href={linkTo('tenant', one.name)}>{one.name}</a>
                <span class="muted">{rate(one.perSecond)} /s</span>
                {one.refusedPerSecond > 0 && (
                  <Badge tone="warn">{rate(one.refusedPerSecond)} /s refused</Badge>
                )}
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
};

const OneTenant = ({ tenant }: { tenant: string }) => {
  const { view } = useLive();
  const mayRevoke = useMay('admin');
  const path = `/decisions?limit=${MAX_RECORDS}&tenant=${encodeURIComponent(tenant)}`;
  const { value, error, again } = useAnswer<Decisions>(path, LOOK_EVERY_MS);
  const live = view?.tenants.find(({ name }) => name === tenant);
  const flag = quoted(tenant);
  return (
    <>
      <Head title={`Tenant ${tenant}`}>
        <a href={linkTo('tenant')}>Another tenant</a>
      </Head>
      {error && <Problem error={error} again={again} />}
      {value === undefined && error === undefined && <Waiting what="Asking the edges" />}
      {value !== undefined && <Remembered tenant={tenant} records={value.data} live={live} />}
      {mayRevoke && <RevokeTenant tenant={tenant} />}
      <Commands
        texts={[`sluice tail --tenant ${flag}`, `sluice tail --tenant ${flag} --status 429`, 'sluice top']}
      />
    </>
  );
};

const Remembered = ({
  tenant,
  records,
  live,
}: {
  tenant: string;
  records: readonly DecisionRecord[];
  live: Rates | undefined;
}) => {
  if (records.length === 0)
    return (
      <Empty title={`The edges remember no request of ${tenant}`}>
        <p>Either it did not ask lately, or it says another name: look at the latest requests.</p>
        <a href={linkTo('request')}>The latest requests</a>
      </Empty>
    );
  const groups = groupRefusals(records);
  const refused = groups.reduce((sum, { records: own }) => sum + own.length, 0);
  const samples = records.filter(({ refusal }) => refusal !== undefined).slice(-SAMPLES);
  return (
    <>
      <dl class="figures">
        <Figure name="Now" value={rate(live?.perSecond ?? 0)} unit="req/s" />
        <Figure
          name="Refused now"
          value={rate(live?.refusedPerSecond ?? 0)}
          unit="/s"
          tone={(live?.refusedPerSecond ?? 0) > 0 ? 'warn' : 'plain'}
        />
        <Figure
          name="Remembered"
          value={count(records.length)}
          unit={`since ${clock(Math.min(...records.map(({ at }) => at)))}`}
        />
        <Figure name="Refused of them" value={count(refused)} tone={refused > 0 ? 'warn' : 'plain'} />
        <Figure name="99 of 100 within" value={millis(live?.p99Ms ?? 0)} unit="now" />
      </dl>
      {groups.length === 0 && <Empty title={`Nobody refuses ${tenant}`} />}
      {groups.map((group, at) => (
        <RefusalStory key={group.key} tenant={tenant} group={group} isFirst={at === 0} />
      ))}
      <QuotaPanel records={records} />
      <Panel title={samples.length > 0 ? 'Samples of refusals' : 'Samples'} isWide>
        <RequestTable
          label="Samples"
          records={(samples.length > 0 ? samples : records.slice(-SAMPLES)).toReversed()}
        />
      </Panel>
    </>
  );
};

/** As the newest request found it. */
const QuotaPanel = ({ records }: { records: readonly DecisionRecord[] }) => {
  const newest = records
    .flatMap(({ at, plugins }) =>
      plugins.flatMap(({ quota }) => (quota === undefined ? [] : [{ at, quota }])),
    )
    .at(-1);
  if (newest === undefined || newest.quota.used === null) return null;
  const { used, limit, stale } = newest.quota;
  return (
    <Panel title="Quota" aside={`as of ${clock(newest.at)}`} isWide>
      <p>
        <b>{count(used)}</b> used of {limit === null ? 'no limit' : count(limit)}{' '}
        {stale && <Badge tone="warn">of a period that is over</Badge>}
      </p>
      {limit !== null && <Meter share={used / limit} />}
    </Panel>
  );
};
