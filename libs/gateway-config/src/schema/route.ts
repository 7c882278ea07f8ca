import { entitySchema } from './entity.ts';
import {
  array,
  boolean,
  type EntityCheck,
  foreign,
  integer,
  isFilled,
  type Report,
  set,
  string,
} from './field.ts';
import { checkHost, checkRoutePath, headerName, hostList, nameField, routeProtocols } from './typedefs.ts';

type Entity = Readonly<Record<string, unknown>>;

const HTTP_MATCHERS = ['methods', 'hosts', 'headers', 'paths'];
const HTTPS_MATCHERS = [...HTTP_MATCHERS, 'snis'];
const NO_HTTP_MATCHERS = ['sources', 'destinations'];
const STREAM = ['tcp', 'tls', 'tls_passthrough', 'udp'];

const requireOne = (entity: Entity, names: readonly string[], protocols: string, report: Report): void => {
  for (let at = 0; at < names.length; at += 1) if (isFilled(entity[names[at] as string])) return;
  const quoted = names.map((name) => `'${name}'`).join(', ');
  report([], `must set one of ${quoted} when 'protocols' is ${protocols}`);
};

const forbid = (entity: Entity, names: readonly string[], protocols: string, report: Report): void => {
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] as string;
    if (isFilled(entity[name])) report([name], `cannot set '${name}' when 'protocols' is ${protocols}`);
  }
};

const checkHttp = (entity: Entity, has: (protocol: string) => boolean, report: Report): void => {
  forbid(entity, NO_HTTP_MATCHERS, "'http' or 'https'", report);
  if (has('https')) requireOne(entity, HTTPS_MATCHERS, "'https'", report);
  else requireOne(entity, HTTP_MATCHERS, "'http'", report);
};

const checkGrpc = (entity: Entity, has: (protocol: string) => boolean, report: Report): void => {
  forbid(
    entity,
    ['strip_path'].filter(() => entity.strip_path === true),
    "'grpc' or 'grpcs'",
    report,
  );
  forbid(entity, ['methods', 'sources', 'destinations'], "'grpc' or 'grpcs'", report);
  const matchers = ['hosts', 'headers', 'paths'];
  if (has('grpcs')) requireOne(entity, [...matchers, 'snis'], "'grpcs'", report);
  else requireOne(entity, matchers, "'grpc'", report);
};

/** What a route needs and may not have depends on its protocols. */
const byProtocol: EntityCheck = {
  fields: ['protocols'],
  run(entity, report) {
    const protocols = entity.protocols as readonly string[];
    const has = (protocol: string): boolean => protocols.includes(protocol);
    if (has('http') || has('https')) checkHttp(entity, has, report);
    else if (has('grpc') || has('grpcs')) checkGrpc(entity, has, report);
    else if (STREAM.some(has)) {
      forbid(entity, HTTP_MATCHERS, "'tcp', 'tls', 'tls_passthrough' or 'udp'", report);
      requireOne(entity, ['sources', 'destinations', 'snis'], "'tcp', 'tls' or 'udp'", report);
    }
    if (isFilled(entity.snis) && !['grpcs', 'https', 'tls', 'tls_passthrough'].some(has))
      report(
        ['snis'],
        "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
      );
  },
};

const routeHeader = {
  ...headerName,
  check: (name: string): string | undefined =>
    name.toLowerCase() === 'host'
      ? "cannot contain 'host' header, which must be specified in the 'hosts' attribute"
      : headerName.check?.(name as never),
};

const endpoints = set({
  type: 'record',
  fields: {
    ip: string({ check: (ip) => checkHost(ip.replace(/\/\d+$/, '')) }),
    port: { ...integer(), between: [0, 65_535] },
  },
});

/** Strip is Kong's default, except that a grpc path is a method name. */
const stripDefault = (submitted: Entity): Entity => {
  const { protocols } = submitted;
  if (!Array.isArray(protocols) || (submitted.strip_path ?? null) !== null) return submitted;
  const isGrpc = protocols.some((name) => name === 'grpc' || name === 'grpcs');
  return isGrpc ? { ...submitted, strip_path: false } : submitted;
};

/** kong-compat 2.2. */
export const routeSchema = entitySchema({
  kind: 'routes',
  endpointKey: 'name',
  children: { plugins: 'route' },
  prepare: stripDefault,
  fields: {
    name: nameField(),
    service: foreign('services'),
    protocols: routeProtocols,
    methods: set({
      type: 'string',
      check: (method: string) => (/^[A-Z]+$/.test(method) ? undefined : `invalid value: ${method}`),
    }),
    hosts: hostList,
    paths: array(string({ check: checkRoutePath })),
    headers: { type: 'map', keys: routeHeader as typeof headerName, values: array({ type: 'string' }) },
    snis: set(string({ check: (sni) => checkHost(sni.replace(/^\*\.|\.\*$/, '')) })),
    sources: endpoints,
    destinations: endpoints,
    strip_path: boolean(true),
    preserve_host: boolean(false),
    https_redirect_status_code: integer({ default: 426, oneOf: [426, 301, 302, 307, 308] }),
    regex_priority: integer({ default: 0 }),
    path_handling: string({ default: 'v0', oneOf: ['v0', 'v1'] }),
    request_buffering: boolean(true),
    response_buffering: boolean(true),
  },
  checks: [byProtocol],
});
