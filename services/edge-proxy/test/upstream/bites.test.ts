import { expect, test, vi } from 'vitest';
import type { Engine } from '../../src/upstream/engines/engine.ts';
import { call, EdgeWorld, route, service, Upstream } from '../edge-world.ts';

// O3 without its protections: the checks that a POST is sent once, and that there is no storm of retries, must then
// fail, else they could not be trusted.

const REQUESTS = 200;
const RETRIES = 2;

const known = vi.hoisted(() => ({ whatWasSent: true }));

vi.mock('../../src/upstream/engines/engines.ts', async (original) => {
  const real = await original<typeof import('../../src/upstream/engines/engines.ts')>();
  const forgetful = ({ send, close }: Engine): Engine => ({
    close,
    send: async (...args) => {
      const answer = await send(...args);
      return 'kind' in answer && !known.whatWasSent ? { ...answer, isUnsent: true } : answer;
    },
  });
  return { ...real, engines: { ...real.engines, undici: forgetful(real.engines.undici) } };
});

test.each([
  ['nothing', [true, true], { settings: {}, knowsWhatWasSent: true }],
  ['the knowledge of what was sent', [false, true], { settings: {}, knowsWhatWasSent: false }],
  ['the retry budget', [true, false], { settings: { RETRY_BUDGET_PERCENT: 'off' }, knowsWhatWasSent: true }],
] as const)(
  'given %s is taken away and an upstream fails every request, then POST goes once, and retries are bounded: %s',
  async (_what, [isPostOnce, isBounded], { settings, knowsWhatWasSent }) => {
    known.whatWasSent = knowsWhatWasSent;
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
