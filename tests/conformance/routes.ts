import type { CallOptions } from '@sluice/testkit';
import type { Seen } from './echo-upstream.ts';
import type { Document, World } from './world.ts';

/** A route on a service of its own whose path is the route's name: the upstream's path tells who took a request. */
export const routeNamed = (world: World, name: string, route: Document): Document =>
  world.service(name, [{ name, strip_path: false, ...route }], { path: `/${name}` });

/** Services of `routeNamed` for a table of routes by name. */
export const routesNamed = (world: World, table: Readonly<Record<string, Document>>): Document => ({
  services: Object.entries(table).map(([name, route]) => routeNamed(world, name, route)),
});

/** Name of the route that took a request; the status when it did not reach the upstream. */
export const takenBy = async (
  world: World,
  path: string,
  options: CallOptions = {},
): Promise<string | number> => {
  const answer = await world.ask(path, options);
  return answer.status === 200 ? (answer.json<Seen>().url.split('/')[1] ?? '') : answer.status;
};
