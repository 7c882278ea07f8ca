import { startNats, startRedis } from '@sluice/testkit';
import { expect, test, vi } from 'vitest';
import { eventOf, quota, settled, startedMirror } from './given.ts';

// Q6 without its protection: with nobody looking for gaps, its check must fail, else it could not be trusted.

const state = vi.hoisted(() => ({ isLooking: true }));

vi.mock('../src/watch-gaps.ts', async (original) => {
  const real = await original<typeof import('../src/watch-gaps.ts')>();
  const blind: typeof real.watchGaps = () => () => undefined;
  return {
    ...real,
    watchGaps: (...args: Parameters<typeof blind>) => (state.isLooking ? real.watchGaps : blind)(...args),
  };
});

test.each([
  ['nothing', true, 7],
  ['the look for gaps', false, 0],
])(
  'given %s is taken away and the stream let go seven events, then Q6 holds: %s',
  async (_what, isLooking, told) => {
    state.isLooking = isLooking;
    await using natsServer = await startNats();
    await using redisServer = await startRedis();
    {
      await using before = await startedMirror(natsServer, redisServer);
      await before.publish(eventOf('t', quota(1)));
      await settled(before);
      await before.mirror.stop();
      for (let n = 2; n <= 11; n++) await before.publish(eventOf('t', quota(n)));
      const { manager } = await before.jetstream.raw();
      await manager.streams.purge('QUOTAS', { seq: 9 }); // as age does: 2 to 8 are gone
    }

    await using given = await startedMirror(natsServer, redisServer);
    await settled(given);

    expect(await given.hash('t')).toMatchObject({ used: '11' });
    expect(await given.metrics.metrics()).toContain(`sluice_quota_mirror_missed_total ${told}\n`);
  },
);
