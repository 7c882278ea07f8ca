import { useState } from 'preact/hooks';
import type { ApiKey, List, Revocation } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Head, Panel, Table } from '../parts/frame.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { useMay } from '../session.ts';
import { dayAndClock, quoted } from '../words.ts';

/** Credentials of tenants: API keys, and what is revoked. */
export const AccessPage = () => (
  <>
    <Head title="Auth" />
    <KeysPanel />
    <RevocationsPanel />
  </>
);

const KeysPanel = () => {
  const mayAct = useMay('admin');
  const { value, error, again } = useAnswer<List<ApiKey>>('/sluice/keys');
  const [refusal, setRefusal] = useState<AskError | undefined>();
  const revoke = async ({ id }: ApiKey) => {
    try {
      await ask(`/sluice/keys/${id}`, { method: 'DELETE' });
      setRefusal(undefined);
      again();
    } catch (problem) {
      setRefusal(asAskError(problem));
    }
  };
  const problem = refusal ?? error;
  return (
    <Panel title="API keys of tenants" aside="the newest first">
      {problem && <Problem error={problem} again={again} />}
      {value === undefined && error === undefined && <Waiting what="Reading the keys" />}
      {value?.data.length === 0 && (
        <Empty title="No tenant has an API key">
          <p>A key is made on the command line, where its text is shown once.</p>
        </Empty>
      )}
      {value !== undefined && value.data.length > 0 && (
        <Table
          label="API keys"
          rows={value.data}
          keyOf={({ id }) => id}
          columns={[
            { title: 'Key', cell: ({ id, name }) => <span title={id}>{name}</span> },
            { title: 'Tenant', cell: ({ tenant }) => <a href={linkTo('tenant', tenant)}>{tenant}</a> },
            {
              title: 'State',
              cell: ({ state }) => <Badge tone={state === 'active' ? 'good' : 'plain'}>{state}</Badge>,
            },
            {
              title: 'Made',
              isExtra: true,
              cell: ({ createdAt, createdBy }) => `${dayAndClock(createdAt)} by ${createdBy}`,
            },
            {
              title: 'Last used',
              isExtra: true,
              cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : dayAndClock(lastUsedAt)),
            },
            {
              title: 'Act',
              cell: (key) =>
                mayAct && key.state === 'active' ? (
                  <RevokeKey apiKey={key} revoke={() => void revoke(key)} />
                ) : (
                  '–'
                ),
            },
          ]}
        />
      )}
      <Commands
        texts={[
          'sluice keys list',
          "sluice keys create --tenant acme --name 'what for'",
          'sluice keys revoke ID',
        ]}
      />
    </Panel>
  );
};

/** Asks once more: a revoked key does not come back. */
const RevokeKey = ({ apiKey, revoke }: { apiKey: ApiKey; revoke: () => void }) => {
  const [isSure, setSure] = useState(false);
  return (
    <button
      type="button"
      class={isSure ? 'danger' : 'quiet'}
      title={`sluice keys revoke ${quoted(apiKey.id)}`}
      onClick={() => (isSure ? revoke() : setSure(true))}
      onBlur={() => setSure(false)}
    >
      {isSure ? `Revoke ${apiKey.name} for good` : 'Revoke …'}
    </button>
  );
};

const RevocationsPanel = () => {
  const { value, error, again } = useAnswer<List<Revocation>>('/sluice/revocations');
  return (
    <Panel title="Revoked tokens" aside="refused although they verify">
      {error && <Problem error={error} again={again} />}
      {value === undefined && error === undefined && <Waiting what="Reading the list" />}
      {value?.data.length === 0 && (
        <Empty title="Nothing is revoked">
          <p>All tokens of a tenant are revoked on the tenant’s page; others on the command line.</p>
        </Empty>
      )}
      {value !== undefined && value.data.length > 0 && (
        <Table
          label="Revoked tokens"
          rows={value.data}
          keyOf={({ by, value: what, notBefore }) => `${by} ${what} ${notBefore}`}
          columns={[
            { title: 'By', cell: ({ by }) => by },
            { title: 'Value', cell: ({ value: what }) => <code>{what}</code> },
            { title: 'Why', isExtra: true, cell: ({ reason }) => reason ?? '–' },
            { title: 'Issued before', cell: ({ notBefore }) => dayAndClock(notBefore) },
            { title: 'Who', isExtra: true, cell: ({ revokedBy }) => revokedBy },
          ]}
        />
      )}
      <Commands texts={['sluice token revocations', "sluice token revoke --sub ID -m 'why'"]} />
    </Panel>
  );
};
