import type { Route } from '@sluice/gateway-config';
import type { MatchRequest, Router } from '../src/router.ts';

export const uuidOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

/** A route with the defaults of the Admin API. */
export const routeOf = (n: number, fields: Partial<Route>): Route => ({
  id: uuidOf(n),
  name: `route-${n}`,
  created_at: 0,
  updated_at: 0,
  tags: null,
  service: null,
  protocols: ['http', 'https'],
  methods: null,
  hosts: null,
  paths: null,
  headers: null,
  snis: null,
  strip_path: true,
  preserve_host: false,
  https_redirect_status_code: 426,
  regex_priority: 0,
  path_handling: 'v0',
  request_buffering: true,
  response_buffering: true,
  ...fields,
});

export interface Asked extends Partial<Omit<MatchRequest, 'headers'>> {
  readonly sent?: Readonly<Record<string, readonly string[]>>;
}

export const requestOf = ({ sent = {}, ...fields }: Asked): MatchRequest => ({
  method: 'GET',
  host: 'elsewhere.test',
  port: 8000,
  path: '/',
  scheme: 'http',
  headers: (name) => sent[name],
  ...fields,
});

/** Files routes under their names; ids follow the order of the table. */
export const fill = (router: Router<string>, table: Readonly<Record<string, Partial<Route>>>): void => {
  for (const [n, [name, fields]] of Object.entries(table).entries())
    router.upsert(routeOf(n + 1, { name, ...fields }), name);
};
