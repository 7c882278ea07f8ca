import { useLive } from '../api/live.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Head, Panel, Table } from '../parts/frame.tsx';
import { Empty, Waiting } from '../parts/states.tsx';
import { Generation } from './now.tsx';

const MEANING: Readonly<Record<string, string>> = {
  nats: 'the bus: configuration, verdicts, events',
  'config-registry': 'what edges hear of the configuration',
  auth: 'verdicts on credentials',
  ratelimit: 'budgets, exactly counted',
  upstreams: 'targets that fail again and again',
  capacity: 'whether edges keep up with what comes',
};

/** Who belongs to this gateway, where each stands, and what they lean on. */
export const FleetPage = () => {
  const { view } = useLive();
  if (view === undefined)
    return (
      <>
        <Head title="Services" />
        <Waiting what="Waiting for the first second" />
      </>
    );
  const { processes, configuration, dependencies, edges } = view;
  return (
    <>
      <Head title="Services">
        <span class="muted">
          {edges.live} {edges.live === 1 ? 'edge' : 'edges'} live · configuration r{configuration.version} of
          epoch {configuration.epoch}
        </span>
      </Head>
      <Panel title="Who follows the configuration" aside="heard in the last 3.5 s">
        {processes.length === 0 ? (
          <Empty title="Nobody">
            <p>Neither an edge nor auth was heard. Start the gateway, or look at NATS.</p>
          </Empty>
        ) : (
          <Table
            label="Processes"
            rows={processes.toSorted((a, b) => a.instance.localeCompare(b.instance))}
            keyOf={({ instance }) => instance}
            columns={[
              { title: 'Instance', cell: ({ instance }) => <code>{instance}</code> },
              { title: 'Service', cell: ({ process }) => process },
              { title: 'Generation', cell: (one) => <Generation of={one} current={configuration.version} /> },
              { title: 'Says', isExtra: true, cell: ({ refusal }) => refusal ?? 'serves it' },
            ]}
          />
        )}
      </Panel>
      <Panel title="Dependencies" aside="as the edges see them">
        <Table
          label="Dependencies"
          rows={dependencies}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Part', cell: ({ name }) => <b>{name}</b> },
            {
              title: 'State',
              cell: ({ isWell }) => (
                <Badge tone={isWell ? 'good' : 'bad'}>{isWell ? 'well' : 'not well'}</Badge>
              ),
            },
            { title: 'What it is for', isExtra: true, cell: ({ name }) => MEANING[name] ?? '' },
            { title: 'Says', cell: ({ isWell, says }) => (isWell ? '–' : says) },
          ]}
        />
      </Panel>
      <Commands texts={['sluice doctor', 'sluice health']} />
    </>
  );
};
