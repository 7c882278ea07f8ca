import { randomUUID } from 'node:crypto';
import { canonicalJson, isRecord } from '@sluice/gateway-config';

/* Plays decK (kong-compat 5.5): reads the state page by page, fills defaults from the schemas, PUTs by id. */

type Values = Record<string, unknown>;
type Send = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
type Lists = Record<string, Values[]>;

const LISTS = [
  'services routes plugins consumers certificates ca_certificates snis upstreams vaults key-auths hmac-auths jwts',
  'basic-auths oauth2 acls mtls-auths keys key-sets partials filter-chains consumer_groups',
].flatMap((line) => line.split(' '));
const REQUIRED = new Set('services routes plugins consumers certificates snis upstreams'.split(' '));

const readList = async (send: Send, path: string): Promise<Values[]> => {
  const found: Values[] = [];
  let offset: string | undefined;
  do {
    const more = offset === undefined ? '' : `&offset=${encodeURIComponent(offset)}`;
    const { status, body } = await send('GET', `/${path}?size=1000${more}`);
    if (status !== 200 && !REQUIRED.has(path) && [400, 403, 404].includes(status)) return [];
    if (status !== 200) throw new Error(`GET /${path} answered ${status}`);
    const page = body as { data: Values[]; offset?: string };
    found.push(...page.data);
    offset = page.offset;
  } while (offset !== undefined);
  return found;
};

/** Everything that is configured, by list. */
const readState = async (send: Send): Promise<Lists> => {
  const state: Lists = {};
  for (const path of LISTS) state[path] = await readList(send, path);
  return state;
};

type SchemaField = Values & { fields?: Record<string, SchemaField>[] };
const entriesOf = (fields: readonly Record<string, SchemaField>[]): [string, SchemaField][] =>
  fields.flatMap((field) => Object.entries(field));

/** The entity with the schema's defaults where it says nothing. */
const withDefaults = (fields: readonly Record<string, SchemaField>[], entity: Values): Values => {
  const filled = { ...entity };
  for (const [name, field] of entriesOf(fields)) {
    const value = filled[name];
    if (field.type === 'record' && field.fields !== undefined)
      filled[name] = withDefaults(field.fields, isRecord(value) ? value : {});
    else if (value === undefined && field.default !== undefined) filled[name] = field.default;
  }
  return filled;
};

const withoutUnset = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutUnset);
  if (!isRecord(value)) return value;
  const set = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(set.map(([key, item]) => [key, withoutUnset(item)]));
};

const comparable = ({ created_at: _created, updated_at: _updated, ...entity }: Values): string =>
  canonicalJson(withoutUnset(entity));

const withUrlSpread = ({ url, ...service }: Values): Values => {
  if (typeof url !== 'string') return service;
  const { protocol, hostname, port, pathname } = new URL(url);
  const path = pathname === '/' ? {} : { path: pathname };
  return { ...service, protocol: protocol.slice(0, -1), host: hostname, port: Number(port), ...path };
};

const referenceTo = (name: unknown, among: readonly Values[]): Values | undefined => {
  const found = among.find((one) => one.name === name || one.username === name);
  return typeof name === 'string' ? { id: found?.id } : undefined;
};

const idOf = (value: unknown): unknown => (isRecord(value) ? value.id : undefined);
const scopeOf = ({ name, route, service, consumer }: Values): string =>
  JSON.stringify([name, idOf(route) ?? null, idOf(service) ?? null, idOf(consumer) ?? null]);

/** Makes the server hold what the file says. Returns the writes it took: none when nothing differs. */
export const syncAsDeck = async (send: Send, file: Readonly<Record<string, unknown>>): Promise<string[]> => {
  const state = await readState(send);
  const writes: string[] = [];
  const schemas = new Map<string, readonly Record<string, SchemaField>[]>();
  const fieldsOf = async (path: string) => {
    const known = schemas.get(path) ?? ((await send('GET', path)).body as { fields: never[] }).fields;
    schemas.set(path, known);
    return known;
  };
  const put = async (kind: string, target: Values, current: Values | undefined): Promise<Values> => {
    const id = current?.id ?? randomUUID();
    const filled = { ...withDefaults(await fieldsOf(`/schemas/${kind}`), target), id };
    if (current !== undefined && comparable(current) === comparable(filled)) return filled;
    const { status, body } = await send('PUT', `/${kind}/${String(id)}`, filled);
    if (status !== 200) throw new Error(`PUT /${kind} answered ${status}: ${JSON.stringify(body)}`);
    writes.push(`${kind} ${String(target.name)}`);
    return filled;
  };
  const listed = (kind: string) => (file[kind] ?? []) as Values[];
  const named = (kind: string, name: unknown) => state[kind]?.find((one) => one.name === name);

  const services: Values[] = [];
  for (const service of listed('services'))
    services.push(await put('services', withUrlSpread(service), named('services', service.name)));
  const routes: Values[] = [];
  for (const route of listed('routes')) {
    const target = { ...route, service: referenceTo(route.service, services) };
    routes.push(await put('routes', target, named('routes', route.name)));
  }
  for (const plugin of listed('plugins')) {
    const own = await fieldsOf(`/schemas/plugins/${String(plugin.name)}`);
    const scope = {
      route: referenceTo(plugin.route, routes),
      service: referenceTo(plugin.service, services),
    };
    const target = withDefaults(own, { ...plugin, ...scope });
    const current = state.plugins?.find((one) => scopeOf(one) === scopeOf(target));
    await put('plugins', target, current);
  }
  return writes;
};
