import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, statusesOf, World } from './world.ts';

const guard = [{ name: 'key-auth', config: { key_names: ['x-app-key'] } }];

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  const folder = { strip_path: false };
  await world.load({
    services: [
      world.service('open', [
        { ...folder, name: 'public', paths: ['/public'] },
        { ...folder, name: 'rest', paths: ['/rest/'] },
        { ...folder, name: 'exact', paths: ['~/exact/(?<id>[^/]+)$'] },
        { strip_path: true, name: 'stripped', paths: ['/stripped'] },
      ]),
      world.service('inner', [
        { ...folder, name: 'admin', paths: ['/admin'], plugins: guard },
        { ...folder, name: 'public-inner', paths: ['/public/inner', '/rest/private'], plugins: guard },
        { ...folder, name: 'exact-folder', paths: ['/exact/'], plugins: guard },
      ]),
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Ways to say `/..` and `/` to some server; none of them may lead from an open route into a guarded one. */
const UPS = [
  ...['..;', '..;x', '..;a=b', '.%2e;', '%2e%2e;', '..%3b', '..%3Bx', '%2e%2e%3b', '..%253b'],
  ...['..%5c', '%2e%2e%5c', '..%5C.', '.\\..', '..\\', '..%255c'],
  ...['..%2f', '%2e%2e%2f', '%2E%2E%2F', '..%252f', '%252e%252e', '%252e%252e%252f', '..%25252f'],
  ...['%25252e%25252e', '%252e.', '.%252e', '..%20', '..%09', '.. ', '%ef%bc%8e%ef%bc%8e', '..%c2%a0'],
  ...['..%2500', '..%ef%bc%8f', '..%e2%88%95%2f', '..%3b%2f', '.%0a.', '..%0d'],
];
const CONFUSING = [
  ...UPS.flatMap((up) => [`/public/${up}/admin`, `/public/x/${up}/${up}/admin`, `/public/${up}/other`]),
  ...['/public/..%253f/admin', '/public/..%2523/admin', '/public/x%253f/../../admin%2f..'],
  ...['/public%2finner', '/public%2Finner/x', '/public/%2finner', '/public//%2finner', '/public%5cinner'],
  ...['/public\\inner', '/public;/inner', '/public;x=1/inner', '/public;v=1;w=2/inner/x', '/public%3b/inner'],
  ...[
    '/public/;/inner',
    '/public/;x/inner',
    '/public%252finner',
    '/public%25252finner',
    '/public/%252e/inner',
  ],
  ...['/public/.;/inner', '/public./inner', '/public../inner', '/public%20/inner', '/public.%20/inner'],
  ...[
    '/public/%69nner%2f..%2f..%2fadmin',
    '/public/%5c/inner',
    '/public%2f%2finner',
    '/public/%09/../inner%2f',
  ],
  ...[
    '/rest/private%2f..',
    '/rest/%2e%2fprivate',
    '/rest/%252e%2fprivate',
    '/rest/;/private',
    '/rest/\\private',
  ],
  ...['/exact/a%2Fb', '/exact/a%5Cb', '/exact/a%252fb', '/exact/..%2fadmin', '/exact/a%2f..%2f..%2fadmin'],
  ...[
    '/stripped/..;/admin',
    '/stripped/x/..%2f..%2fadmin',
    '/stripped/%252e%252e/admin',
    '/stripped/..%5cadmin',
  ],
  ...['/Public/inner', '/PUBLIC/../ADMIN', '/public/INNER', '/public/Inner/x', '/public/%49nner'],
  ...[
    '/public/%69nner%00',
    '/public/%00/inner',
    '/..%2fadmin',
    '/public/%c0%ae%c0%ae/admin',
    '/%2e%2e%2fadmin',
  ],
  ...[
    '/public/%u002e%u002e/admin',
    '/public/%%32%65%%32%65/admin',
    '/public/%2',
    '/public/%zz',
    '/public/%ff/',
  ],
  ...['/public/x%ef%bc%8f..%ef%bc%8f..%ef%bc%8fadmin', '/public/%ef%bc%a9nner', '/public/%e2%85%b0nner'],
];

/** Of which every reading is the same route. */
const CLEAR = [
  ...[
    '/public',
    '/public/',
    '/public/a',
    '/public/a%2Fb',
    '/public/a%2fb%2fc',
    '/public/a;v=1',
    '/public/a;v=1/b',
  ],
  ...[
    '/public/..hidden',
    '/public/.well-known/x',
    '/public/...',
    '/public/a..b',
    '/public/a.b.c',
    '/public/a.',
  ],
  ...[
    '/public/caf%C3%A9',
    '/public/a%20b',
    '/public/100%25',
    '/public/a%2Bb',
    '/public/a+b',
    '/public/a%3Fb',
  ],
  ...[
    '/public/a%23b',
    '/public/a%5Cb',
    '/public/@x:y',
    '/public/A/B',
    '/public/UPPER',
    '/public/(a)',
    '/public/a%3B',
  ],
  ...[
    '/public/%E4%BD%A0%E5%A5%BD',
    '/public/a%2F',
    '/public//a',
    '/public/./a',
    '/public/b/../a',
    '/public/~u',
  ],
  ...['/exact/a', '/exact/a%20b', '/exact/a;v=1', '/exact/caf%C3%A9', '/stripped/a%2Fb', '/public/a=b,c&d'],
];

/** Kong's own reading leads there: the guard answers. */
const GUARDED = [
  ...['/admin', '/admin/', '//admin', '///admin/x', '/./admin', '/public/../admin', '/public/%2e%2e/admin'],
  ...['/public/%2E%2E/admin', '/x/%2e%2e/admin', '/%61dmin', '/admin;v=1', '/admin%2fx', '/admin/..hidden'],
  ...[
    '/public/inner',
    '/public//inner',
    '/public/./inner',
    '/public/x/../inner',
    '/public/%69nner',
    '/admin%5cx',
  ],
  ...['/public/.//inner', '/admin.', '/admin%20', '/admin/a%2Fb', '/rest/private'],
];

describe.each(ENGINES)('by %s', (engine) => {
  const get = async (path: string) => {
    const id = `n=${++serial}`;
    const text = await world.send(
      engine,
      `GET ${path}?${id} HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n`,
    );
    return {
      statuses: statusesOf(text),
      seen: world.origin.requests.filter(({ target }) => target.endsWith(`?${id}`)),
    };
  };

  test.each(CONFUSING)('given %s, then it is refused, and no origin sees it', async (path) => {
    const { statuses, seen } = await get(path);
    expect(seen).toEqual([]);
    expect(statuses).toEqual([
      expect.toSatisfy((status) => status === 400 || status === 404 || status === 401),
    ]);
  });

  test.each(CLEAR)('given %s, then it passes', async (path) => {
    const { statuses, seen } = await get(path);
    expect([statuses, seen.length]).toEqual([[200], 1]);
  });

  test.each(GUARDED)('given %s, then the guard answers', async (path) => {
    const { statuses, seen } = await get(path);
    expect([statuses, seen]).toEqual([[401], []]);
  });
});
