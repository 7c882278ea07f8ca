/** `npm run test:faults -- --quota Q1,Q3,Q4,Q5`: these rows as the service levels word them, with their figures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuotaWorld } from './quota-world.ts';
import { duplicatesRow } from './row-duplicates.ts';
import { emptiedRow } from './row-emptied.ts';
import { killsRow } from './row-kills.ts';
import { poisonRow } from './row-poison.ts';

export interface QuotaRows {
  readonly rows: readonly string[];
  /** Between two publications of an event; the stream knows an id for 120. */
  readonly apartSeconds: number;
  readonly tenants: number;
  readonly perSecond: number;
  /** Of the flow of Q4, without garbage and with it. */
  readonly seconds: number;
  /** Of Q1, whose kills are of each of mirror, nats-server and Redis; 0 events: 50,000. */
  readonly events: number;
  readonly kills: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const WAVES = 5;
/** Past this a tenant's states are not what Q1 and Q3 are about. */
const MOST_TENANTS = 200;
const KILLED_EVERY_MS = [2000, 10_000] as const;
const EVENTS = 50_000;

const ROWS: Readonly<Record<string, (world: QuotaWorld, run: QuotaRows) => Promise<readonly string[]>>> = {
  Q1: (world, { tenants, events, kills, seed, say }) =>
    killsRow(world, {
      ...{ tenants: Math.min(tenants, MOST_TENANTS), events: events === 0 ? EVENTS : events },
      ...{ kills, everyMs: KILLED_EVERY_MS, seed, say },
    }),
  Q3: (world, { tenants, apartSeconds, say }) =>
    duplicatesRow(world, {
      ...{ tenants: Math.min(tenants, MOST_TENANTS), waves: WAVES, say },
      pastTheWindow: () => sleep(apartSeconds * 1000),
    }),
  Q4: poisonRow,
  Q5: emptiedRow,
};

/** @returns the number of violations. */
export const quotaRows = async (run: QuotaRows): Promise<number> => {
  let violations = 0;
  for (const row of run.rows) {
    const judge = ROWS[row];
    if (judge === undefined) throw new Error(`--quota: ${row} is not one of ${Object.keys(ROWS).join(', ')}`);
    await using world = await QuotaWorld.start();
    const wrong = await judge(world, run);
    run.say(`${row} violations: ${wrong.length}`);
    for (const one of wrong.slice(0, 10)) run.say(`  ${one}`);
    violations += wrong.length;
  }
  return violations;
};
