import { call } from '@sluice/testkit';
import { callWithin } from './config-load.ts';
import type { GatewayWorld } from './gateway-world.ts';

/** Routes of each document: parts of two documents beside each other would show. */
const ROUTES = 12;
const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';

interface Posted {
  readonly type: string;
  readonly body: string;
}

const routeNames = Array.from({ length: ROUTES }, (_, n) => `part-${n}`);

/** Each of its routes answers with the name of the document. */
const documentOf = (name: string) => ({
  _format_version: '3.0',
  services: [{ name: 'nowhere', url: 'http://127.0.0.1:9' }],
  routes: ['generation', ...routeNames].map((route) => ({
    ...{ name: route, service: 'nowhere', paths: [`/${route}`] },
    plugins: [
      {
        name: 'request-termination',
        config: {
          status_code: 200,
          content_type: 'text/plain',
          body: route === 'generation' ? 'generation 0' : name,
        },
      },
    ],
  })),
});
type Document = ReturnType<typeof documentOf>;

const json = (document: unknown): Posted => ({ type: JSON_TYPE, body: JSON.stringify(document) });

/** A whole document with one fault each; most of it could be applied. */
const MALFORMED: readonly ((whole: Document) => Posted)[] = [
  (whole) => ({ type: JSON_TYPE, body: JSON.stringify(whole).slice(0, -20) }),
  (whole) => json({ ...whole, nonsense: true }),
  (whole) => json({ ...whole, services: [{ name: 'nowhere', url: 7 }] }),
  (whole) =>
    json({ ...whole, routes: whole.routes.map((route) => ({ ...route, service: 'no-such-service' })) }),
  (whole) => json({ ...whole, plugins: [{ name: 'no-such-plugin' }] }),
  (whole) => json({ ...whole, routes: [...whole.routes, whole.routes[0]] }),
  (whole) => json({ ...whole, _format_version: '9.9' }),
  (whole) => ({
    type: YAML_TYPE,
    body: `_format_version: "3.0"\nservices:\n- name: [\n${whole.services[0]?.name}`,
  }),
];

const post = async (admin: string, { type, body }: Posted): Promise<number> =>
  (await callWithin(admin, '/config', { method: 'POST', headers: { 'content-type': type }, body })).status;

/** What the routes of an edge answer: one name, where one whole document is live. */
const namesAt = async (edge: string): Promise<ReadonlySet<string>> =>
  new Set(await Promise.all(routeNames.map(async (name) => (await call(edge, `/${name}`)).text)));

export interface PostsRun {
  readonly times: number;
  readonly say: (line: string) => void;
}

/**
 * C1: 24 documents are posted at once, eight of them malformed. One whole document is live afterwards, on every edge,
 * and it is one that was accepted.
 * @returns what was not so.
 */
export const postsRow = async (world: GatewayWorld, { times, say }: PostsRun): Promise<readonly string[]> => {
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  for (let time = 0; time < times; time++) {
    const nameOf = (n: number) => `document-${time}-${n}`;
    const good = Array.from({ length: 16 }, (_, n) => json(documentOf(nameOf(n))));
    const bad = MALFORMED.map((spoil, n) => spoil(documentOf(`malformed-${time}-${n}`)));
    // Mixed: every third is malformed.
    const all = good.flatMap((each, n) => (n % 2 === 1 ? [each, bad[(n - 1) / 2] as Posted] : [each]));
    const statuses = await Promise.all(all.map((each) => post(world.admin, each)));
    for (const status of statuses) seen.set(`${status}`, (seen.get(`${status}`) ?? 0) + 1);
    const accepted = new Set<string>();
    for (const [n, status] of statuses.entries()) {
      const isBad = bad.includes(all[n] as Posted);
      if (isBad ? status !== 400 : status !== 201 && status !== 409) wrong.push(`post ${n}: ${status}`);
      if (status === 201) accepted.add(nameOf(good.indexOf(all[n] as Posted)));
    }
    const live = await Promise.all(world.edges.map(({ url }) => namesAt(url)));
    for (const names of live) {
      const [name = ''] = names;
      if (names.size !== 1) wrong.push(`parts of several documents are live: ${[...names].join(', ')}`);
      else if (!accepted.has(name)) wrong.push(`${name} is live and was not accepted`);
    }
    if (new Set(live.map(([name]) => name)).size !== 1) wrong.push('edges differ');
  }
  const counts = [...seen].map(([status, count]) => `${count} times ${status}`).join(', ');
  say(`C1 ${times} times 24 posts at once, 8 malformed: ${counts}`);
  return wrong;
};
