import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AS_IT_SHOULD, Fleet } from '../bundles/fleet.ts';
import { ImageLayout, type ServiceName } from '../bundles/image.ts';
import { areReleasesHere, releasedBundles } from './released-bundles.ts';

/** The order in which a fleet is upgraded, see docs/guides/upgrade.md. */
const ORDER: readonly ServiceName[] = ['config-registry', 'auth', 'ratelimit', 'quota-mirror', 'edge-proxy'];
const WITHIN_MS = 30_000;
type Side = 'released' | 'current';

/** One service at a time, to the current version and back: every service meets all others of the other version. */
const thereAndBack = (): ServiceName[] => [...ORDER, ...ORDER];
/** Every mix of the two, each one replacement away from the one before (a Gray code). */
const everyMix = (): ServiceName[] =>
  Array.from(
    { length: 2 ** ORDER.length - 1 },
    (_, n) => ORDER[Math.log2((n + 1) & -(n + 1))] as ServiceName,
  );

const sides: Partial<Record<Side, ImageLayout>> = {};
const isHere = areReleasesHere();
beforeAll(async () => {
  if (!isHere) return;
  sides.current = await ImageLayout.of();
  sides.released = await ImageLayout.of(ORDER, await releasedBundles());
}, 180_000);
afterAll(() => {
  for (const side of Object.values(sides)) side[Symbol.dispose]();
});

test.runIf(isHere)(
  'processes of the last releases and of this version work together, whichever is replaced',
  async () => {
    await using fleet = await Fleet.open();
    const of: Record<string, Side> = {};
    const put = async (service: ServiceName, side: Side) => {
      await fleet.put(service, sides[side] as ImageLayout);
      of[service] = side;
    };
    // An edge that waits 50 ms in vain for a limiter that has just started decides alone, once: that is no skew.
    const works = () =>
      eventually(
        async () => expect(await fleet.exercise(), JSON.stringify(of)).toEqual(AS_IT_SHOULD),
        WITHIN_MS,
      );
    for (const service of ORDER) await put(service, 'released');
    await works();
    for (const service of process.env.SLUICE_SKEW === 'all' ? everyMix() : thereAndBack()) {
      await put(service, of[service] === 'released' ? 'current' : 'released');
      await works();
    }
  },
  600_000,
);
