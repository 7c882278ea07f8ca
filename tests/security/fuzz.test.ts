import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseStrictly } from './strict-parser.ts';
import { ENGINES, statusesOf, World } from './world.ts';

/** `npm run fuzz` sets it; without, a run is short. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 4);
const BOUNDS = {
  numRuns: 1_000_000,
  interruptAfterTimeLimit: SECONDS * 500, // for each of the two engines
  markInterruptAsFailure: false,
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
};

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await World.shared();
  await world.load({ services: [world.service('all', [{ name: 'all', paths: ['/'], strip_path: false }])] });
});
afterAll(() => world[Symbol.asyncDispose]());

const SEEDS = [
  'POST /{id} HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\nhello',
  'POST /{id} HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /{id}?a=b HTTP/1.1\r\nHost: h.test\r\nX-A: 1\r\nConnection: keep-alive, X-A\r\n\r\n',
  'DELETE /{id} HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-B\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-B: 1\r\n\r\n',
  'GET http://h.test/{id} HTTP/1.1\r\nHost: h.test\r\nCookie: a=b\r\n\r\n',
];
const PIECES = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\x00',
    '\x0b',
    ':',
    ';',
    ',',
    '+',
    '-',
    '0',
    '00',
    '5',
    '0x',
    '\x7f',
  ],
  ...[
    '\xff',
    '\xc2\xa0',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'chunked',
    'identity',
    '_',
    '"',
  ],
  ...[
    'Connection: close\r\n',
    'Host: x\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: h2c\r\n',
    '\\',
    '%',
    '#',
    '//',
  ],
];

/** Edits of a request: where (as a share of its length), how many bytes go, what comes in their place. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(3),
    put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary-ascii', maxLength: 3 })),
  }),
  { minLength: 1, maxLength: 3 },
);
const mutated = fc.record({ seed: fc.constantFrom(...SEEDS), edits }).map(({ seed, edits: all }) =>
  all.reduce((bytes, { at, cut, put }) => {
    const place = Math.floor(at * bytes.length);
    return bytes.slice(0, place) + put + bytes.slice(place + cut);
  }, seed),
);

/** Ends what a mutation may have left open: a last chunk, a body, a line, and a request that says goodbye. */
const ENDING = '\r\n\r\n0\r\n\r\nGET /end HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n';

test.each(ENGINES)(
  'given requests with some bytes changed, then what %s forwards is what the strict parser reads',
  { timeout: SECONDS * 1000 + 30_000 },
  async (engine) => {
    await fc.assert(
      fc.asyncProperty(mutated, async (template) => {
        const id = `f${++serial}x`;
        const bytes = template.replaceAll('{id}', id);
        const faults = world.origin.faults.length;
        const text = await world.send(engine, bytes + ENDING);
        expect(world.origin.faults.slice(faults)).toEqual([]);
        const seen = world.origin.requests.filter(({ target }) => target.includes(id));
        const strict = parseStrictly(bytes + ENDING);
        // A request that nobody can misread is not changed by us; one that was refused was forwarded by nobody.
        if (strict.kind === 'whole' && seen.length > 0) {
          expect(seen[0]?.method).toBe(strict.request.method);
          expect(seen[0]?.body).toBe(strict.request.body);
        }
        if (statusesOf(text)[0] === 400 && strict.kind !== 'whole') expect(seen).toEqual([]);
      }),
      BOUNDS,
    );
  },
);
