import type { DecisionRecord, Decisions, PluginVerdict } from '../api/answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, type Column, Figure, Head, Panel, Table, type Tone } from '../parts/frame.tsx';
import { type Policy, usePolicies } from '../parts/policies.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { useMay } from '../session.ts';
import { clock, count } from '../words.ts';
import { TryText } from './try-text.tsx';

const LOOK_EVERY_MS = 3000;
const MAX_RECORDS = 500;
const SHOWN = 25;
const MODES = ['shadow', 'flag', 'redact', 'block'] as const;
const TONES: Readonly<Record<string, Tone>> = { block: 'bad', redact: 'warn', flag: 'warn', shadow: 'plain' };

interface Flagged {
  readonly record: DecisionRecord;
  readonly verdict: PluginVerdict['verdict'];
  readonly found: NonNullable<PluginVerdict['flagged']>;
}

const flaggedIn = (record: DecisionRecord): Flagged[] =>
  record.plugins.flatMap(({ verdict, flagged: found }) =>
    found === undefined ? [] : [{ record, verdict, found }],
  );

/** Attacks on language models that prompt-guard saw, where it looks, and what it would say of a text. */
export const GuardPage = () => {
  const mayTry = useMay('operator');
  const path = `/decisions?flagged=1&limit=${MAX_RECORDS}`;
  const { value, error, again } = useAnswer<Decisions>(path, LOOK_EVERY_MS);
  const flagged = value?.data.flatMap(flaggedIn).reverse();
  return (
    <>
      <Head title="Guard" />
      {error && <Problem error={error} again={again} />}
      {flagged === undefined && error === undefined && <Waiting what="Asking the edges" />}
      {flagged !== undefined && <Seen flagged={flagged} />}
      <PoliciesPanel />
      {mayTry && <TryText />}
      <Commands texts={['sluice tail --flagged', 'sluice tail -f --flagged']} />
    </>
  );
};

const Seen = ({ flagged }: { flagged: readonly Flagged[] }) => {
  if (flagged.length === 0)
    return (
      <Empty title="No attack is remembered">
        <p>
          The edges remember their latest requests; prompt-guard has seen nothing in them, or does not look.
        </p>
      </Empty>
    );
  const refused = flagged.filter(({ verdict }) => verdict === 'refused').length;
  const oldest = Math.min(...flagged.map(({ record }) => record.at));
  return (
    <>
      <dl class="figures">
        <Figure name="Attacks remembered" value={count(flagged.length)} unit={`since ${clock(oldest)}`} />
        <Figure name="Refused of them" value={count(refused)} tone={refused > 0 ? 'bad' : 'plain'} />
        <Figure
          name="Let through"
          value={count(flagged.length - refused)}
          unit="marked or cleaned"
          tone={refused < flagged.length ? 'warn' : 'plain'}
        />
      </dl>
      <Panel title="By family and mode" aside="of what the edges remember">
        <Families flagged={flagged} />
      </Panel>
      <Panel title="The newest" aside="never the prompt itself" isWide>
        <Table
          label="Flagged requests"
          isStacked
          columns={COLUMNS}
          rows={flagged.slice(0, SHOWN)}
          keyOf={({ record, found }) => `${record.requestId} ${found.mode} ${found.score}`}
        />
      </Panel>
    </>
  );
};

/** A prompt counts for each family that was seen in it. */
const Families = ({ flagged }: { flagged: readonly Flagged[] }) => {
  const families = [...new Set(flagged.flatMap(({ found }) => found.families))].sort();
  const timesOf = (family: string, mode: string) =>
    flagged.filter(({ found }) => found.mode === mode && found.families.includes(family)).length;
  return (
    <Table
      label="Attacks by family and mode"
      rows={families}
      keyOf={(family) => family}
      columns={[
        { title: 'Family', cell: (family) => <b>{family}</b> },
        ...MODES.map((mode) => ({
          title: mode,
          isNumber: true,
          cell: (family: string) => count(timesOf(family, mode)),
        })),
      ]}
    />
  );
};

const COLUMNS: readonly Column<Flagged>[] = [
  { title: 'When', cell: ({ record }) => <span class="number">{clock(record.at)}</span> },
  {
    title: 'What happened',
    cell: ({ verdict, found }) => (
      <>
        <Badge tone={verdict === 'refused' ? 'bad' : 'warn'}>
          {verdict === 'refused' ? 'refused' : 'let through'}
        </Badge>{' '}
        <span class="muted">{found.mode}</span>
      </>
    ),
  },
  {
    title: 'Request',
    cell: ({ record: { requestId, method, path } }) => (
      <a href={linkTo('request', requestId)} class="mono">
        {method} {path}
      </a>
    ),
  },
  {
    title: 'Tenant',
    cell: ({ record: { tenant } }) =>
      tenant === undefined ? '–' : <a href={linkTo('tenant', tenant)}>{tenant}</a>,
  },
  { title: 'Score', isNumber: true, cell: ({ found }) => found.score.toFixed(2) },
  { title: 'Family', cell: ({ found }) => found.families.join(', ') },
  { title: 'Rules', isExtra: true, cell: ({ found }) => found.rules.join(', ') },
];

const PoliciesPanel = () => {
  const { policies, error, again } = usePolicies('prompt-guard');
  return (
    <Panel title="Where it looks" aside="the policies prompt-guard">
      {error && <Problem error={error} again={again} />}
      {policies === undefined && error === undefined && <Waiting what="Reading the policies" />}
      {policies?.length === 0 && (
        <Empty title="Nowhere: no prompt-guard is configured">
          <p>Begin with mode shadow on a route that leads to a model: it counts, and refuses nobody.</p>
        </Empty>
      )}
      {policies !== undefined && policies.length > 0 && (
        <ul class="list">
          {policies.map((one) => (
            <li key={one.id}>
              <OnePolicy of={one} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
};

interface Own {
  readonly mode?: string | null;
  readonly sensitivity?: string | null;
}

const OnePolicy = ({ of: { isEnabled, where, config } }: { of: Policy }) => {
  const {
    mode = 'block',
    sensitivity = 'balanced',
    tenants = {},
  } = config as Own & {
    readonly tenants?: Readonly<Record<string, Own>>;
  };
  return (
    <>
      <Badge tone={isEnabled ? (TONES[`${mode}`] ?? 'plain') : 'plain'}>
        {isEnabled ? mode : 'not enabled'}
      </Badge>
      <span>{where}</span>
      <span class="muted">{sensitivity}</span>
      {Object.entries(tenants).map(([tenant, own]) => (
        <span key={tenant}>
          <a href={linkTo('tenant', tenant)}>{tenant}</a>{' '}
          <Badge tone={TONES[own.mode ?? `${mode}`] ?? 'plain'}>{own.mode ?? mode}</Badge>{' '}
          <span class="muted">{own.sensitivity ?? sensitivity}</span>
        </span>
      ))}
    </>
  );
};
