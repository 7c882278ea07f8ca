import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareContracts, contracts, describeBreak, toAsyncApi } from '@sluice/contracts';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../bundles/dockerfile.ts';
import { AS_IT_SHOULD, Fleet } from '../bundles/fleet.ts';
import { ImageLayout, type ServiceName } from '../bundles/image.ts';
import { bundleCarelessAuth } from './careless-auth.ts';
import { areReleasesHere, releasedBundles } from './released-bundles.ts';

/** The order in which a fleet is upgraded, see docs/guides/upgrade.md. */
const ORDER: readonly ServiceName[] = ['config-registry', 'auth', 'ratelimit', 'quota-mirror', 'edge-proxy'];
const WITHIN_MS = 30_000;
type Side = 'released' | 'current';
type Mix = Readonly<Record<string, string>>;

/** One service at a time, to the current version and back: every service meets all others of the other version. */
const thereAndBack = (): ServiceName[] => [...ORDER, ...ORDER];
/** Every mix of the two, each one replacement away from the one before (a Gray code). */
const everyMix = (): ServiceName[] =>
  Array.from(
    { length: 2 ** ORDER.length - 1 },
    (_, n) => ORDER[Math.log2((n + 1) & -(n + 1))] as ServiceName,
  );

const RELEASED_CONTRACTS: unknown = JSON.parse(
  readFileSync(join(ROOT, 'libs', 'contracts', 'released', 'asyncapi.json'), 'utf8'),
);

/** Whether a mix works. Where it does not, the failure names it, and what its contracts misunderstand. */
const works = async (fleet: Fleet, mix: Mix, now: unknown = toAsyncApi(contracts)): Promise<void> => {
  const why = compareContracts(RELEASED_CONTRACTS, now).map(describeBreak).join('\n');
  expect(await fleet.exercise(), `${JSON.stringify(mix)}\n${why}`).toEqual(AS_IT_SHOULD);
};

const sides: Partial<Record<Side, ImageLayout>> = {};
const isHere = areReleasesHere();
beforeAll(async () => {
  sides.current = await ImageLayout.of();
  if (isHere) sides.released = await ImageLayout.of(ORDER, await releasedBundles());
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
    const untilItWorks = () => eventually(() => works(fleet, of), WITHIN_MS);
    for (const service of ORDER) await put(service, 'released');
    await untilItWorks();
    for (const service of process.env.SLUICE_SKEW === 'all' ? everyMix() : thereAndBack()) {
      await put(service, of[service] === 'released' ? 'current' : 'released');
      await untilItWorks();
    }
  },
  600_000,
);

test('given an auth whose contract wants one field more, when it takes the place of another, then red, with field and processes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-careless-'));
  try {
    const document = await bundleCarelessAuth(folder);
    using careless = await ImageLayout.of(['auth'], folder);
    await using fleet = await Fleet.open();
    await fleet.put('config-registry', sides.current as ImageLayout);
    await Promise.all([
      fleet.put('auth', careless),
      ...ORDER.slice(2).map((service) => fleet.put(service, sides.current as ImageLayout)),
    ]);

    const failure = await works(fleet, { auth: 'careless' }, document).catch((error: Error) => error);

    expect(`${failure}`).toContain(
      'auth.v1.verify (request): checks[].realm is new and required: auth of now would refuse what a released edge-proxy sends',
    );
    // As it should but for auth, which gives no verdict.
    expect(failure).toMatchObject({
      actual: { acknowledged: '1/1', within: AS_IT_SHOULD.within.map(() => 503) },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
