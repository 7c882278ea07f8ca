/**
 * A configuration as large users have it, by number of routes: a hundred services, plugins on everything, on
 * services and on some routes, consumers with keys and groups. The same number gives the same text.
 */
const SERVICES = 100;
const CONSUMERS = 50;
const CHANGED = 1; // a route that any host reaches

export interface GeneratedConfig {
  /** The declarative document without `_format_version`. */
  readonly document: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  /** A path that reaches a route, and the route's name. */
  readonly pathOf: (route: number) => string;
}

const routeOf = (n: number, services: number): Record<string, unknown> => ({
  name: `route-${n}`,
  service: `service-${n % services}`,
  paths: [`/v1/tenants/t${n}/workflows`, `/v1/tenants/t${n}/agents`],
  methods: ['GET', 'POST'],
  strip_path: false,
  tags: ['generated', `team-${n % 7}`],
  ...(n % 5 === 0 ? { hosts: [`t${n}.example.com`, '127.0.0.1'] } : {}),
  ...(n % 50 === 7 ? { headers: { 'x-version': ['v1', 'v2'] } } : {}),
});

/** `upstream` is where every service leads; `more` is another path for one route, and changes nothing else. */
export const generatedConfig = (
  routes: number,
  upstream: { readonly host: string; readonly port: number },
  more?: string,
): GeneratedConfig => {
  const services = Math.min(SERVICES, routes);
  const list = <T>(count: number, make: (n: number) => T): T[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const plugins = [
    { name: 'correlation-id', config: { header_name: 'X-Request-ID', generator: 'uuid' } },
    ...list(services, (n) => ({
      name: 'response-transformer',
      service: `service-${n}`,
      config: { add: { headers: [`x-service: service-${n}`] } },
    })),
    ...list(Math.ceil(routes / 20), (n) => ({
      name: 'request-size-limiting',
      route: `route-${n * 20}`,
      config: { allowed_payload_size: 8 },
    })),
  ];
  const document = {
    services: list(services, (n) => ({ name: `service-${n}`, protocol: 'http', ...upstream, retries: 0 })),
    routes: list(routes, (n) => ({
      ...routeOf(n, services),
      ...(more !== undefined && n === CHANGED ? { paths: [`/v1/tenants/t${n}/workflows`, more] } : {}),
    })),
    plugins,
    consumers: list(CONSUMERS, (n) => ({
      username: `consumer-${n}`,
      keyauth_credentials: [{ key: `generated-key-${n}` }],
      acls: [{ group: `group-${n % 5}` }],
    })),
  };
  return { document, pathOf: (route) => `/v1/tenants/t${route}/agents/1` };
};
