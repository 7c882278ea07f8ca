import { useState } from 'preact/hooks';
import type { DecisionRecord, Decisions, Explanation } from '../api/answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, type Column, Head, Panel, Table, toneOfStatus } from '../parts/frame.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { goTo, linkTo, type Place } from '../place.ts';
import { clock, dayAndClock, micros, quoted } from '../words.ts';
import { TracePanel } from './trace.tsx';

const LOOK_EVERY_MS = 3000;
const SHOWN = 50;

/** The latest requests, or the story of one. */
export const RequestPage = ({ place }: { place: Place }) => (
  <>
    <Head title="Requests" />
    <Search given={place.subject ?? ''} />
    {place.subject === undefined ? <Latest query={place.query} /> : <Story id={place.subject} />}
  </>
);

const Search = ({ given }: { given: string }) => {
  const [id, setId] = useState(given);
  const find = (event: Event) => {
    event.preventDefault();
    if (id.trim() !== '') goTo(linkTo('request', id.trim()));
  };
  return (
    <search>
      <form class="fields" onSubmit={find}>
        <label>
          Request, trace or correlation id, of the answer’s X-Kong-Request-Id
          <input
            value={id}
            onInput={(event) => setId(event.currentTarget.value)}
            spellcheck={false}
            class="mono"
          />
        </label>
        <button type="submit">Explain</button>
      </form>
    </search>
  );
};

const FILTERS = ['tenant', 'route', 'status'] as const;

const Latest = ({ query }: { query: URLSearchParams }) => {
  const wanted = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? '']));
  const filters = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ''));
  const { value, error, again } = useAnswer<Decisions>(`/decisions?limit=${SHOWN}&${filters}`, LOOK_EVERY_MS);
  const set = (name: string, text: string) => goTo(linkTo('request', undefined, { ...wanted, [name]: text }));
  const flags = [...filters].map(([name, text]) => ` --${name} ${quoted(text)}`).join('');
  return (
    <>
      <div class="fields">
        {FILTERS.map((name) => (
          <label key={name} class="short">
            {{ tenant: 'Tenant', route: 'Route', status: 'Status (429, or 4 for 4xx)' }[name]}
            <input
              name={name}
              value={wanted[name] ?? ''}
              inputMode={name === 'status' ? 'numeric' : 'text'}
              onChange={(event) => set(name, event.currentTarget.value.trim())}
            />
          </label>
        ))}
      </div>
      {error && <Problem error={error} again={again} />}
      <Panel
        title="The latest"
        aside={value && `${value.edges.answered} of ${value.edges.live} edges answered`}
      >
        {value === undefined && error === undefined && <Waiting what="Asking the edges" />}
        {value !== undefined && value.data.length === 0 && (
          <Empty title="No such request is remembered">
            <p>
              Edges remember their latest requests; refusals are kept for six hours and are found by their id.
            </p>
          </Empty>
        )}
        {value !== undefined && value.data.length > 0 && (
          <RequestTable label="The latest requests" records={value.data.toReversed().slice(0, SHOWN)} />
        )}
      </Panel>
      <Commands texts={[`sluice tail${flags}`, `sluice tail -f${flags}`]} />
    </>
  );
};

const COLUMNS: readonly Column<DecisionRecord>[] = [
  { title: 'When', cell: ({ at }) => <span class="number">{clock(at)}</span> },
  { title: 'Status', cell: ({ status }) => <Badge tone={toneOfStatus(status)}>{status}</Badge> },
  {
    title: 'Request',
    cell: ({ requestId, method, path }) => (
      <a href={linkTo('request', requestId)} class="mono">
        {method} {path}
      </a>
    ),
  },
  {
    title: 'Tenant',
    isExtra: true,
    cell: ({ tenant }) => (tenant === undefined ? '–' : <a href={linkTo('tenant', tenant)}>{tenant}</a>),
  },
  { title: 'Route', isExtra: true, cell: ({ route }) => route?.name ?? route?.id ?? '–' },
  { title: 'Why', isExtra: true, cell: ({ refusal }) => refusal?.reason ?? refusal?.code ?? '' },
  { title: 'Took', isNumber: true, cell: ({ timing }) => micros(timing.totalUs) },
];

export const RequestTable = ({ label, records }: { label: string; records: readonly DecisionRecord[] }) => (
  <Table label={label} columns={COLUMNS} rows={records} keyOf={({ requestId }) => requestId} />
);

const Story = ({ id }: { id: string }) => {
  const { value, error, again } = useAnswer<Explanation>(`/explain/${encodeURIComponent(id)}`);
  if (error !== undefined)
    return error.status === 404 ? (
      <Empty title="Nobody remembers this request">
        <p>{error.message}</p>
        <a href={linkTo('request')}>The latest requests</a>
      </Empty>
    ) : (
      <Problem error={error} again={again} />
    );
  if (value === undefined) return <Waiting what="Asking the edges" />;
  return <Told of={value} />;
};

const Told = ({ of: story }: { of: Explanation }) => {
  const { record, number } = story;
  return (
    <>
      <Panel title="What happened" aside={dayAndClock(record.at)} isWide>
        <p class="story">{story.headline}</p>
        <dl class="facts">
          <dt>Decided by</dt>
          <dd>
            {story.decidedBy.kind} <b>{story.decidedBy.name}</b> <Badge tone="plain">{story.cause}</Badge>
          </dd>
          {number !== undefined && (
            <>
              <dt>The number</dt>
              <dd>
                {number.name.replaceAll('_', ' ')} <b>{number.value}</b>
                {number.limit !== undefined && ` of ${number.limit}`}
              </dd>
            </>
          )}
          <dt>Tenant</dt>
          <dd>
            {record.tenant === undefined ? (
              'not known'
            ) : (
              <a href={linkTo('tenant', record.tenant)}>{record.tenant}</a>
            )}
          </dd>
        </dl>
      </Panel>
      <Panel title="Where the time went" aside={`${micros(record.timing.totalUs)} in all`} isWide>
        <Waterfall of={story} />
      </Panel>
      <TracePanel traceId={record.traceId} />
      <div class="panels">
        <Panel title="Because">
          <ul class="points">
            {story.because.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Panel>
        <Panel title="What can be done">
          {story.change.length === 0 ? (
            <Empty title="Nothing has to be" />
          ) : (
            <ul class="points">
              {story.change.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </Panel>
        <Chain of={record} />
      </div>
      <Commands texts={[`sluice explain ${story.requestId}`, `sluice trace ${record.traceId}`]} />
    </>
  );
};

const Waterfall = ({ of: { waterfall, record } }: { of: Explanation }) => {
  const total = Math.max(1, record.timing.totalUs, ...waterfall.map(({ fromUs, us }) => fromUs + us));
  return (
    <div class="waterfall">
      {waterfall.map(({ name, fromUs, us }) => (
        <div key={`${name} ${fromUs}`} class={name.startsWith('upstream') ? 'stretch upstream' : 'stretch'}>
          <span>{name}</span>
          <span class="bar">
            <i style={{ left: `${(100 * fromUs) / total}%`, width: `${(100 * us) / total}%` }} />
          </span>
          <span class="number">{micros(us)}</span>
        </div>
      ))}
    </div>
  );
};

const VERDICTS = { passed: 'good', refused: 'bad', not_reached: 'plain' } as const;

const Chain = ({ of: { plugins } }: { of: DecisionRecord }) => (
  <Panel title="The chain" aside="in its order">
    {plugins.length === 0 ? (
      <Empty title="No plugin was asked" />
    ) : (
      <ul class="list">
        {plugins.map(({ plugin, id, verdict, source }) => (
          <li key={`${plugin} ${id}`}>
            <Badge tone={VERDICTS[verdict]}>{verdict.replace('_', ' ')}</Badge>
            <span>{plugin}</span>
            {source !== undefined && <span class="muted">by {source}</span>}
          </li>
        ))}
      </ul>
    )}
  </Panel>
);
