import type { LiveView, Process, Rates } from '../api/answers.ts';
import { useLive } from '../api/live.ts';
import { Chart } from '../parts/chart.tsx';
import { Command, Commands } from '../parts/command.tsx';
import { Badge, type Column, Figure, Head, Panel, Table, toneOfStatus } from '../parts/frame.tsx';
import { Empty, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { millis, rate } from '../words.ts';

export const NowPage = () => {
  const { view, points } = useLive();
  if (view === undefined)
    return (
      <>
        <Head title="Now" />
        <Waiting what="Waiting for the first second" />
      </>
    );
  return (
    <>
      <Head title="Now">
        <span class="muted">
          the last {view.windowMs / 1000} s of {view.edges.answered} of {view.edges.live} edges
        </span>
      </Head>
      <Figures view={view} />
      <Charts points={points} />
      <div class="panels">
        <Panel title="Top tenants" aside="by requests">
          <Shares rows={view.tenants} page="tenant" title="Tenant" view={view} />
        </Panel>
        <Panel title="Top routes" aside="by requests">
          <Shares rows={view.routes} page="request" title="Route" view={view} />
        </Panel>
        <RefusalsPanel view={view} />
        <EdgesPanel view={view} />
        <DependenciesPanel view={view} />
      </div>
      <Commands texts={['sluice top', 'sluice tail -f', 'sluice doctor']} />
    </>
  );
};

const Figures = ({ view: { total, limitedPerSecond } }: { view: LiveView }) => (
  <dl class="figures">
    <Figure name="Requests" value={rate(total.perSecond)} unit="/s" />
    <Figure
      name="Refused"
      value={rate(total.refusedPerSecond)}
      unit="/s"
      tone={total.refusedPerSecond > 0 ? 'warn' : 'plain'}
    />
    <Figure
      name="429s"
      value={rate(limitedPerSecond)}
      unit="/s"
      tone={limitedPerSecond > 0 ? 'warn' : 'plain'}
    />
    <Figure
      name="Failed (5xx)"
      value={rate(total.failedPerSecond)}
      unit="/s"
      tone={total.failedPerSecond > 0 ? 'bad' : 'plain'}
    />
    <Figure name="Half within" value={millis(total.p50Ms)} unit="p50" />
    <Figure name="99 of 100 within" value={millis(total.p99Ms)} unit="p99" />
  </dl>
);

const Charts = ({ points }: { points: readonly LiveView[] }) => {
  const times = points.map(({ at }) => at / 1000);
  const line = (label: string, colour: string, pick: (total: Rates) => number) => ({
    ...{ label, colour },
    values: points.map(({ total }) => pick(total)),
  });
  return (
    <div class="panels">
      <Panel title="Requests" aside="per second, three minutes">
        <Chart
          title="Requests per second"
          times={times}
          format={rate}
          lines={[
            line('all', 'line-a', ({ perSecond }) => perSecond),
            line('refused', 'line-b', ({ refusedPerSecond }) => refusedPerSecond),
            line('failed', 'line-c', ({ failedPerSecond }) => failedPerSecond),
          ]}
        />
      </Panel>
      <Panel title="Time to answer" aside="three minutes">
        <Chart
          title="Time to answer"
          times={times}
          format={millis}
          lines={[line('p50', 'line-a', ({ p50Ms }) => p50Ms), line('p99', 'line-b', ({ p99Ms }) => p99Ms)]}
        />
      </Panel>
    </div>
  );
};

/** The edges' name for those without one. */
const NOBODY = '-';

const sharesOf = (title: string, page: 'tenant' | 'request'): readonly Column<Rates>[] => [
  {
    title,
    cell: ({ name }) =>
      name === NOBODY ? (
        <span class="muted">not known</span>
      ) : (
        <a href={page === 'tenant' ? linkTo(page, name) : linkTo(page, undefined, { route: name })}>{name}</a>
      ),
  },
  { title: 'req/s', isNumber: true, cell: ({ perSecond }) => rate(perSecond) },
  {
    title: 'refused/s',
    isNumber: true,
    cell: ({ refusedPerSecond }) =>
      refusedPerSecond > 0 ? <Badge tone="warn">{rate(refusedPerSecond)}</Badge> : '0',
  },
  {
    title: '5xx/s',
    isNumber: true,
    isExtra: true,
    cell: ({ failedPerSecond }) =>
      failedPerSecond > 0 ? <Badge tone="bad">{rate(failedPerSecond)}</Badge> : '0',
  },
  { title: 'p99', isNumber: true, cell: ({ p99Ms }) => millis(p99Ms) },
];

const Shares = ({
  rows,
  page,
  title,
  view,
}: {
  rows: readonly Rates[];
  page: 'tenant' | 'request';
  title: string;
  view: LiveView;
}) =>
  rows.length === 0 ? (
    <Empty title="Nobody asks">
      <p>No request in the last {view.windowMs / 1000} s.</p>
      {page === 'tenant' && <Command text="curl -i http://127.0.0.1:8000/" />}
    </Empty>
  ) : (
    <Table label={title} columns={sharesOf(title, page)} rows={rows} keyOf={({ name }) => name} />
  );

const RefusalsPanel = ({ view: { refusals } }: { view: LiveView }) => (
  <Panel title="Refusals" aside="by code, per second">
    {refusals.length === 0 ? (
      <Empty title="Nothing is refused" />
    ) : (
      <ul class="list">
        {refusals.map(({ code, status, perSecond }) => (
          <li key={code}>
            <Badge tone={toneOfStatus(status)}>{status}</Badge>
            <a href={linkTo('request', undefined, { status: `${status}` })}>
              <code>{code}</code>
            </a>
            <span class="muted">{rate(perSecond)} /s</span>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);

const EdgesPanel = ({ view: { processes, configuration } }: { view: LiveView }) => (
  <Panel title="Edges and followers" aside={`the configuration is r${configuration.version}`}>
    {processes.length === 0 ? (
      <Empty title="Nobody follows the configuration" />
    ) : (
      <ul class="list">
        {processes.map((one) => (
          <li key={one.instance}>
            <Generation of={one} current={configuration.version} />
            <code>{one.instance}</code>
            {one.refusal !== undefined && <span class="muted">{one.refusal}</span>}
          </li>
        ))}
      </ul>
    )}
  </Panel>
);

export const Generation = ({ of: { version, refusal }, current }: { of: Process; current: number }) => {
  if (refusal !== undefined)
    return (
      <Badge tone="bad">
        r{version} refuses r{current}
      </Badge>
    );
  return version === current ? (
    <Badge tone="good">r{version}</Badge>
  ) : (
    <Badge tone="warn">r{version} behind</Badge>
  );
};

const DependenciesPanel = ({ view: { dependencies } }: { view: LiveView }) => (
  <Panel title="Dependencies" aside="as the edges see them">
    <ul class="list columns">
      {dependencies.map(({ name, isWell, says }) => (
        <li key={name}>
          <Badge tone={isWell ? 'good' : 'bad'}>{isWell ? 'well' : 'not well'}</Badge>
          <span>{name}</span>
          {!isWell && <span class="muted">{says}</span>}
        </li>
      ))}
    </ul>
  </Panel>
);
