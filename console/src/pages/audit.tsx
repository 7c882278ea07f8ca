import type { AuditRecord, List } from '../api/answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, type Column, Head, Panel, Table } from '../parts/frame.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { linkTo, type Place } from '../place.ts';
import { dayAndClock } from '../words.ts';

const SHOWN = 50;
const MAX_CHANGES = 3;
const TONES = { done: 'good', refused: 'warn', failed: 'bad' } as const;

/** Who did what: changes, revocations, and who was not let in. */
export const AuditPage = ({ place: { query } }: { place: Place }) => {
  const before = query.get('before');
  const path = `/sluice/audit?limit=${SHOWN}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`;
  const { value, error, again } = useAnswer<List<AuditRecord>>(path);
  const older = /before=(\d+)/.exec(value?.next ?? '')?.[1];
  return (
    <>
      <Head title="Audit">{before !== null && <a href={linkTo('audit')}>The newest</a>}</Head>
      {error && <Problem error={error} again={again} />}
      <Panel title="Records" aside="the newest first">
        {value === undefined && error === undefined && <Waiting what="Reading the records" />}
        {value?.data.length === 0 && (
          <Empty title="Nothing is recorded">
            <p>Changes, revocations and refused requests of administrators stand here.</p>
          </Empty>
        )}
        {value !== undefined && value.data.length > 0 && (
          <Table
            label="Audit records"
            isStacked
            columns={COLUMNS}
            rows={value.data}
            keyOf={({ sequence }) => `${sequence}`}
          />
        )}
        {older !== undefined && <a href={linkTo('audit', undefined, { before: older })}>Older records</a>}
      </Panel>
      <Commands
        texts={['sluice audit list', 'sluice audit verify', 'sluice audit export --out audit.ndjson']}
      />
    </>
  );
};

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: 'No.', isExtra: true, cell: ({ sequence }) => sequence },
  { title: 'When', cell: ({ time }) => dayAndClock(time) },
  {
    title: 'Who',
    cell: ({ actor, address }) => (
      <>
        {actor ?? 'nobody known'} <span class="muted">{address}</span>
      </>
    ),
  },
  {
    title: 'What',
    cell: ({ action, outcome }) => (
      <>
        <Badge tone={TONES[outcome]}>{outcome}</Badge> {action}
      </>
    ),
  },
  { title: 'On', cell: (record) => <On of={record} /> },
  { title: 'Why', isExtra: true, cell: ({ message }) => message ?? '–' },
];

const On = ({ of: { request, version, changes, changesLeftOut } }: { of: AuditRecord }) => {
  const more = changes.length - MAX_CHANGES + changesLeftOut;
  return (
    <>
      {version !== null && <Badge tone="plain">r{version}</Badge>}{' '}
      {request !== null && (
        <code>
          {request.method} {request.path} {request.status}
        </code>
      )}
      {changes.slice(0, MAX_CHANGES).map(({ op, kind, id }) => (
        <div key={`${kind} ${id}`}>
          {op} <code>{kind}</code>
        </div>
      ))}
      {more > 0 && <div class="muted">and {more} more</div>}
    </>
  );
};
