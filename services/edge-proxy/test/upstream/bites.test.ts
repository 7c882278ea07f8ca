import { afterEach, expect, test, vi } from 'vitest';
import { engines } from '../../src/upstream/engines/engines.ts';
import { call, EdgeWorld, route, service, Upstream } from '../edge-world.ts';

// O3 without its protections: the checks that a POST is sent once, and that there is no storm of retries, must then
// fail, else they could not be trusted.

const REQUESTS = 200;
const RETRIES = 2;

/** An engine that takes every failure for one before a byte was sent. */
const forgetWhatWasSent = () => {
  const { undici } = engines;
  const send = undici.send.bind(undici);
  vi.spyOn(undici, 'send').mockImplementation(async (...args) => {
    const answer = await send(...args);
    return 'kind' in answer ? { ...answer, isUnsent: true } : answer;
  });
};
afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ['nothing', [true, true], { settings: {}, knowsWhatWasSent: true }],
  ['the knowledge of what was sent', [false, true], { settings: {}, knowsWhatWasSent: false }],
  ['the retry budget', [true, false], { settings: { RETRY_BUDGET_PERCENT: 'off' }, knowsWhatWasSent: true }],
] as const)(
  'given %s is taken away and an upstream fails every request, then POST goes once, and retries are bounded: %s',
  async (_what, [isPostOnce, isBounded], { settings, knowsWhatWasSent }) => {
    if (!knowsWhatWasSent) forgetWhatWasSent();
    await using upstream = await Upstream.start((incoming) => incoming.socket.destroy());
    const to = service('up', upstream.url, { retries: RETRIES });
    const entities = { services: [to], routes: [route('all', to)] };
    await using world = await EdgeWorld.start(entities, { FORWARD_ENGINE: 'undici', ...settings });

    const posts = 10; // few enough for what every service may repeat whatever its share
    for (let n = 0; n < posts; n++) await call(world.port, '/', { method: 'POST', body: 'x' });
    const posted = upstream.received.length;
    await Promise.all(Array.from({ length: REQUESTS }, () => call(world.port, '/')));
    const got = upstream.received.length - posted;

    expect(posted === posts).toBe(isPostOnce);
    expect(got <= REQUESTS * 1.2 + 100).toBe(isBounded); // and a hundred in any case
  },
);
