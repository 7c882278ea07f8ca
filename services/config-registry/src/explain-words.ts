import type { DecisionRecord, PluginVerdict } from '@sluice/contracts';
import type { ConfigState, PluginEntity, Route } from '@sluice/gateway-config';

/** The configuration in force when somebody asks. */
export interface Configuration {
  readonly version: number;
  readonly state: Pick<ConfigState, 'get' | 'list'>;
}

export const routeName = ({ route }: DecisionRecord): string =>
  route === undefined ? 'no route' : `route ${route.name ?? route.id}`;

/** A duration for people. */
export const seconds = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 100) / 10} s`;

/** `a minute`, `an hour`. */
export const oneOf = (period: string): string => `${period === 'hour' ? 'an' : 'a'} ${period}`;

/** The plugin that refused. */
export const refuserOf = ({ plugins }: DecisionRecord): PluginVerdict | undefined =>
  plugins.find(({ verdict }) => verdict === 'refused');

/** The id of a policy that is in force without being configured. */
const BY_DEFAULT = '00000000-0000-0000-0000-000000000000';

/** True where a policy stands in no configuration. */
export const isByDefault = ({ id }: PluginVerdict): boolean => id === BY_DEFAULT;

/** The policy by name, and where it is bound: `rate-limiting plugin 5f1c… of route agents`. */
export const policyName = (refuser: PluginVerdict, { state }: Configuration): string => {
  if (isByDefault(refuser)) return `${refuser.plugin} plugin with its defaults, which no configuration names`;
  const entity = state.get('plugins', refuser.id) as PluginEntity | undefined;
  if (entity === undefined) return `${refuser.plugin} plugin ${refuser.id}, which is gone by now`;
  const bound = (['route', 'service', 'consumer'] as const).flatMap((field) => {
    const id = entity[field]?.id;
    return id === undefined ? [] : [`${field} ${nameOf(state, `${field}s`, id)}`];
  });
  return `${refuser.plugin} plugin ${refuser.id} ${bound.length === 0 ? 'for all requests' : `of ${bound.join(' and ')}`}`;
};

const nameOf = (
  state: Configuration['state'],
  kind: 'routes' | 'services' | 'consumers',
  id: string,
): string => {
  const entity = state.get(kind, id) as { name?: string | null; username?: string | null } | undefined;
  return entity?.name ?? entity?.username ?? id;
};

/** The Admin API's call that changes settings of a policy, and the other way. */
export const changePolicy = (refuser: PluginVerdict, config: Readonly<Record<string, unknown>>): string[] => [
  `PATCH /plugins/${refuser.id} with ${JSON.stringify({ config })}`,
  `or change ${Object.keys(config).join(', ')} of ${refuser.plugin} in the configuration and run: sluice apply -m "why"`,
];

/** Routes that would have taken the request but for one thing. */
export const nearMisses = (record: DecisionRecord, { state }: Configuration): string[] => {
  const misses: string[] = [];
  for (const route of state.list('routes') as Iterable<Route>) {
    if (misses.length === MAX_MISSES) break;
    const why = missOf(route, record);
    if (why !== undefined) misses.push(`route ${route.name ?? route.id} ${why}`);
  }
  return misses;
};

const MAX_MISSES = 3;

/** Undefined where more than one thing differs. */
const missOf = (
  { paths, methods, hosts }: Route,
  { method, path, host }: DecisionRecord,
): string | undefined => {
  const isPath = paths === null || paths.some((one) => !one.startsWith('~') && path.startsWith(one));
  const isMethod = methods === null || methods.includes(method);
  const isHost = hosts === null || hosts.some((one) => one === host || one.includes('*'));
  if (!isPath || (isMethod && isHost)) return undefined;
  if (!isMethod && isHost) return `has the path, but only for ${methods?.join(', ')}`;
  return isMethod ? `has the path, but only at ${hosts?.join(', ')}` : undefined;
};
