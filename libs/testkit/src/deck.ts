import { randomUUID } from 'node:crypto';

/*
 * Plays decK, the command that Kong's users keep their configuration with: it reads the state page by page, fills
 * a file's entities from the schemas, compares, and writes what differs by id, one entity at a time.
 */

export type DeckEntity = Record<string, unknown>;
/** Entities by list, as in a declarative file; references are names or ids. */
export type DeckFile = Readonly<Record<string, unknown>>;
/** One request to the Admin API. */
export type SendAsDeck = (
  method: string,
  path: string,
  body?: object,
) => Promise<{ readonly status: number; readonly body?: unknown }>;

/** One thing that decK would do. */
export interface DeckChange {
  readonly action: 'create' | 'update' | 'delete';
  /** `services orders`. */
  readonly entity: string;
  readonly method: 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: DeckEntity;
  /** Where to POST when the PUT finds nothing: targets cannot be made by PUT. */
  readonly orPost?: string;
}

const LISTS = [
  'services routes plugins consumers certificates ca_certificates snis upstreams vaults key-auths hmac-auths jwts',
  'basic-auths oauth2 acls mtls-auths keys key-sets partials filter-chains consumer_groups',
].flatMap((line) => line.split(' '));
const REQUIRED = new Set('services routes plugins consumers certificates snis upstreams'.split(' '));

interface Kind {
  /** In a file, and in `/schemas/…`. */
  readonly name: string;
  /** Where all of them are listed; targets only under their upstream. */
  readonly list: string;
  /** Fields that tell one from the others. */
  readonly key: readonly string[];
  readonly references?: Readonly<Record<string, string>>;
  /** Where one is written, when not under its list: parent's list, its reference, the children's path. */
  readonly under?: readonly [list: string, field: string, path: string];
  /** Not compared: what is stored otherwise than written, and what is listed elsewhere. */
  readonly opaque?: string;
}

const credential = (name: string, list: string, path: string, key: readonly string[]): Kind => ({
  name,
  list,
  key,
  references: { consumer: 'consumers' },
  under: ['consumers', 'consumer', path],
});

/** Parents before children. */
const KINDS: readonly Kind[] = [
  { name: 'certificates', list: 'certificates', key: ['cert'], opaque: 'snis' },
  { name: 'ca_certificates', list: 'ca_certificates', key: ['cert'] },
  { name: 'vaults', list: 'vaults', key: ['prefix'] },
  { name: 'services', list: 'services', key: ['name'], references: { client_certificate: 'certificates' } },
  { name: 'routes', list: 'routes', key: ['name'], references: { service: 'services' } },
  { name: 'consumers', list: 'consumers', key: ['username'] },
  { name: 'upstreams', list: 'upstreams', key: ['name'] },
  { name: 'snis', list: 'snis', key: ['name'], references: { certificate: 'certificates' } },
  {
    name: 'targets',
    list: 'targets',
    key: ['upstream', 'target'],
    references: { upstream: 'upstreams' },
    under: ['upstreams', 'upstream', 'targets'],
  },
  credential('keyauth_credentials', 'key-auths', 'key-auth', ['key']),
  { ...credential('basicauth_credentials', 'basic-auths', 'basic-auth', ['username']), opaque: 'password' },
  credential('hmacauth_credentials', 'hmac-auths', 'hmac-auth', ['username']),
  credential('jwt_secrets', 'jwts', 'jwt', ['key']),
  credential('acls', 'acls', 'acls', ['consumer', 'group']),
  credential('oauth2_credentials', 'oauth2', 'oauth2', ['client_id']),
  {
    name: 'plugins',
    list: 'plugins',
    key: ['name', 'route', 'service', 'consumer'],
    references: { route: 'routes', service: 'services', consumer: 'consumers' },
  },
];

const isObject = (value: unknown): value is DeckEntity =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const idOf = (value: unknown): unknown => (isObject(value) ? value.id : undefined);

const readList = async (send: SendAsDeck, path: string): Promise<DeckEntity[]> => {
  const found: DeckEntity[] = [];
  let offset: string | undefined;
  do {
    const more = offset === undefined ? '' : `&offset=${encodeURIComponent(offset)}`;
    const { status, body } = await send('GET', `/${path}?size=1000${more}`);
    if (status !== 200 && !REQUIRED.has(path) && [400, 403, 404].includes(status)) return [];
    if (status !== 200) throw new Error(`GET /${path} answered ${status}`);
    const page = body as { data: DeckEntity[]; offset?: string };
    found.push(...page.data);
    offset = page.offset;
  } while (offset !== undefined);
  return found;
};

/** Everything that is configured, by list. */
const readState = async (send: SendAsDeck): Promise<Map<string, DeckEntity[]>> => {
  const { status, body } = await send('GET', '/');
  if (status !== 200 || !/^3\.\d+\.\d+$/.test(String((body as DeckEntity).version)))
    throw new Error('decK finds no Kong 3 there');
  const state = new Map<string, DeckEntity[]>();
  for (const path of LISTS) state.set(path, await readList(send, path));
  const targets: DeckEntity[] = [];
  for (const { id } of state.get('upstreams') ?? [])
    targets.push(...(await readList(send, `upstreams/${String(id)}/targets`)));
  state.set('targets', targets);
  return state;
};

type SchemaField = DeckEntity & { fields?: Record<string, SchemaField>[] };
type SchemaFields = readonly Record<string, SchemaField>[];

/** The entity with the schema's defaults where it says nothing. */
const withDefaults = (fields: SchemaFields, entity: DeckEntity): DeckEntity => {
  const filled = { ...entity };
  for (const [name, field] of fields.flatMap((one) => Object.entries(one))) {
    const value = filled[name];
    if (field.type === 'record' && field.fields !== undefined)
      filled[name] = withDefaults(field.fields, isObject(value) ? value : {});
    else if (value === undefined && field.default !== undefined) filled[name] = field.default;
  }
  return filled;
};

/** In one order, without what is not set. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const set = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(
    set.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)]),
  );
};

const comparable = ({ opaque }: Kind, entity: DeckEntity): string => {
  const { created_at: _created, updated_at: _updated, ...rest } = entity;
  if (opaque !== undefined) delete rest[opaque];
  return JSON.stringify(plain(rest));
};

const withUrlSpread = ({ url, ...service }: DeckEntity): DeckEntity => {
  if (typeof url !== 'string') return service;
  const { protocol, hostname, port, pathname } = new URL(url);
  const path = pathname === '/' ? {} : { path: pathname };
  return { ...service, protocol: protocol.slice(0, -1), host: hostname, port: Number(port), ...path };
};

const keyOf = ({ key }: Kind, entity: DeckEntity): string =>
  JSON.stringify(key.map((field) => idOf(entity[field]) ?? entity[field] ?? null));
/** Certificates have no name, and their text is none. */
const labelOf = ({ name, key }: Kind, entity: DeckEntity): string => {
  const names = key.map((field) => entity[field]).filter((value) => typeof value === 'string');
  return `${name} ${names.find((value) => !value.startsWith('-----')) ?? String(entity.id)}`;
};

const placeOf = ({ list, under }: Kind, entity: DeckEntity): { all: string; one: string } => {
  const [parent, field, path] = under ?? [];
  const all = parent === undefined ? `/${list}` : `/${parent}/${String(idOf(entity[field ?? '']))}/${path}`;
  return { all, one: `${all}/${String(entity.id)}` };
};

/** Fetches each schema once. */
const schemaReader = (send: SendAsDeck): ((path: string) => Promise<SchemaFields>) => {
  const known = new Map<string, SchemaFields>();
  return async (path) => {
    const fields = known.get(path) ?? ((await send('GET', path)).body as { fields: SchemaFields }).fields;
    known.set(path, fields);
    return fields;
  };
};

/** A file's entity as decK wants it: references by id, defaults filled, under the id it has or gets. */
const targetOf = async (
  kind: Kind,
  written: DeckEntity,
  schemaAt: (path: string) => Promise<SchemaFields>,
  wanted: ReadonlyMap<string, DeckEntity[]>,
): Promise<DeckEntity> => {
  const entity = kind.name === 'services' ? withUrlSpread(written) : { ...written };
  for (const [field, parent] of Object.entries(kind.references ?? {})) {
    const name = entity[field];
    if (typeof name !== 'string') continue;
    const found = wanted.get(parent)?.find((one) => [one.name, one.username, one.id].includes(name));
    entity[field] = { id: found?.id ?? name };
  }
  const own = kind.name === 'plugins' ? await schemaAt(`/schemas/plugins/${String(entity.name)}`) : [];
  return withDefaults(await schemaAt(`/schemas/${kind.name}`), withDefaults(own, entity));
};

/** What decK would do to make the server hold what the file says; nothing when nothing differs. */
export const diffAsDeck = async (send: SendAsDeck, file: DeckFile): Promise<DeckChange[]> => {
  const state = await readState(send);
  const schemaAt = schemaReader(send);
  const wanted = new Map<string, DeckEntity[]>();
  const writes: DeckChange[] = [];
  const removals: DeckChange[] = [];
  for (const kind of KINDS) {
    const existing = new Map((state.get(kind.list) ?? []).map((entity) => [keyOf(kind, entity), entity]));
    const all: DeckEntity[] = [];
    for (const written of (file[kind.name] ?? []) as DeckEntity[]) {
      const target = await targetOf(kind, written, schemaAt, wanted);
      const current = existing.get(keyOf(kind, target));
      existing.delete(keyOf(kind, target));
      const entity: DeckEntity = { ...target, id: current?.id ?? target.id ?? randomUUID() };
      all.push(entity);
      if (current !== undefined && comparable(kind, current) === comparable(kind, entity)) continue;
      const action = current === undefined ? 'create' : 'update';
      const place = placeOf(kind, entity);
      const orPost = kind.name === 'targets' ? { orPost: place.all } : {};
      writes.push({
        action,
        entity: labelOf(kind, entity),
        method: 'PUT',
        path: place.one,
        body: entity,
        ...orPost,
      });
    }
    wanted.set(kind.name, all);
    for (const entity of existing.values())
      removals.unshift({
        action: 'delete',
        entity: labelOf(kind, entity),
        method: 'DELETE',
        path: placeOf(kind, entity).one,
      });
  }
  return [...removals, ...writes];
};

/**
 * Makes the server hold what the file says. Returns what it took: nothing when nothing differed.
 * @throws Error when a write is refused, with the server's words.
 */
export const syncAsDeck = async (send: SendAsDeck, file: DeckFile): Promise<string[]> => {
  const changes = await diffAsDeck(send, file);
  for (const { method, path, body, orPost } of changes) {
    let answer = await send(method, path, body);
    if (answer.status === 404 && orPost !== undefined) answer = await send('POST', orPost, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return changes.map(({ action, entity }) => `${action} ${entity}`);
};

/** What the server holds, as a file: without times and unset fields, references by id. */
export const dumpAsDeck = async (send: SendAsDeck): Promise<DeckFile> => {
  const state = await readState(send);
  const lists = KINDS.map(({ name, list }) => {
    const entities = (state.get(list) ?? []).map(({ created_at: _c, updated_at: _u, ...rest }) =>
      plain(rest),
    );
    return [name, entities] as const;
  });
  return {
    _format_version: '3.0',
    ...Object.fromEntries(lists.filter(([, entities]) => entities.length > 0)),
  };
};
