import { useState } from 'preact/hooks';
import type { Entity, List, PluginEntity, RouteEntity, ServiceEntity, TargetHealth } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { useLive } from '../api/live.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Head, Panel, Table, type Tone } from '../parts/frame.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { useMay } from '../session.ts';
import { rate } from '../words.ts';

const SHOWN = 200;
const HEALTH_EVERY_MS = 3000;

export const RoutesPage = () => (
  <>
    <Head title="Routes & upstreams" />
    <RoutesPanel />
    <UpstreamsPanel />
    <Commands texts={['sluice top', 'sluice doctor']} />
  </>
);

interface Row {
  readonly route: RouteEntity;
  readonly name: string;
  readonly match: string;
  readonly service: string;
  readonly plugins: readonly string[];
}

const RoutesPanel = () => {
  const { view } = useLive();
  const routes = useAnswer<List<RouteEntity>>('/routes?size=1000');
  const services = useAnswer<List<ServiceEntity>>('/services?size=1000');
  const plugins = useAnswer<List<PluginEntity>>('/plugins?size=1000');
  const [filter, setFilter] = useState('');
  const error = routes.error ?? services.error ?? plugins.error;
  if (error !== undefined) return <Problem error={error} again={routes.again} />;
  if (!routes.value || !services.value || !plugins.value) return <Waiting what="Reading the routes" />;
  const rows = rowsOf(routes.value.data, services.value.data, plugins.value.data);
  const shown = rows.filter(({ name, match, service }) =>
    `${name} ${match} ${service}`.includes(filter.trim()),
  );
  const speed = new Map(view?.routes.map(({ name, perSecond }) => [name, perSecond]));
  return (
    <Panel
      title="Routes"
      aside={`${shown.length} of ${routes.value.next === null ? rows.length : 'more than 1000'}`}
    >
      <label>
        Name, path or service
        <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
      {shown.length === 0 ? (
        <Empty title={rows.length === 0 ? 'There are no routes: nobody is served' : 'No route has that'} />
      ) : (
        <Table
          label="Routes"
          rows={shown.slice(0, SHOWN)}
          keyOf={({ route }) => route.id}
          columns={[
            {
              title: 'Route',
              cell: ({ name }) => <a href={linkTo('request', undefined, { route: name })}>{name}</a>,
            },
            { title: 'Takes', cell: ({ match }) => <code>{match}</code> },
            { title: 'Service', isExtra: true, cell: ({ service }) => service },
            {
              title: 'Policies of its own',
              isExtra: true,
              cell: ({ plugins: own }) => own.join(', ') || '–',
            },
            { title: 'req/s', isNumber: true, cell: ({ name }) => rate(speed.get(name) ?? 0) },
          ]}
        />
      )}
    </Panel>
  );
};

const rowsOf = (
  routes: readonly RouteEntity[],
  services: readonly ServiceEntity[],
  plugins: readonly PluginEntity[],
): Row[] => {
  const byId = new Map(services.map((service) => [service.id, service]));
  const owned = Map.groupBy(plugins, ({ route, service }) => route?.id ?? service?.id ?? '');
  return routes
    .map((route) => {
      const service = byId.get(route.service?.id ?? '');
      const own = [...(owned.get(route.id) ?? []), ...(owned.get(service?.id ?? '-') ?? [])];
      return {
        route,
        name: route.name ?? route.id,
        match: [route.methods?.join(' '), route.hosts?.join(' '), route.paths?.join(' ')]
          .filter(Boolean)
          .join(' · '),
        service: service === undefined ? 'none' : (service.name ?? service.host),
        plugins: own.map(({ name }) => name),
      };
    })
    .sort((a, b) => a.name.localeCompare(b.name));
};

const UpstreamsPanel = () => {
  const { value, error, again } = useAnswer<List<Entity>>('/upstreams?size=100');
  if (error !== undefined) return <Problem error={error} again={again} />;
  if (value === undefined) return <Waiting what="Reading the upstreams" />;
  return (
    <Panel title="Upstreams" aside="the health that the edges see">
      {value.data.length === 0 ? (
        <Empty title="No upstreams">
          <p>Services name their hosts themselves; an upstream spreads requests over several targets.</p>
        </Empty>
      ) : (
        value.data.map((upstream) => <UpstreamHealth key={upstream.id} upstream={upstream} />)
      )}
    </Panel>
  );
};

const TONES: Readonly<Record<string, Tone>> = { HEALTHY: 'good', UNHEALTHY: 'bad', DNS_ERROR: 'bad' };

const UpstreamHealth = ({ upstream }: { upstream: Entity }) => {
  const mayAct = useMay('operator');
  const path = `/upstreams/${upstream.id}/health`;
  const { value, error, again } = useAnswer<List<TargetHealth>>(path, HEALTH_EVERY_MS);
  const [refusal, setRefusal] = useState<AskError | undefined>();
  const mark = async ({ id }: TargetHealth, as: 'healthy' | 'unhealthy') => {
    try {
      await ask(`/upstreams/${upstream.id}/targets/${id}/${as}`, { method: 'PUT' });
      setRefusal(undefined);
      again();
    } catch (problem) {
      setRefusal(asAskError(problem));
    }
  };
  const problem = refusal ?? error;
  return (
    <div>
      <h3>{upstream.name}</h3>
      {problem && <Problem error={problem} />}
      <ul class="list">
        {value?.data.map((target) => (
          <li key={target.id}>
            <Badge tone={TONES[target.health] ?? 'plain'}>
              {target.health.toLowerCase().replace('_', ' ')}
            </Badge>
            <code>{target.target}</code>
            <span class="muted">weight {target.weight}</span>
            {mayAct && target.health !== 'HEALTHCHECKS_OFF' && (
              <button
                type="button"
                class="quiet"
                onClick={() => void mark(target, target.health === 'HEALTHY' ? 'unhealthy' : 'healthy')}
              >
                {target.health === 'HEALTHY' ? 'Take out' : 'Put back'}
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
};
