/** `npm run test:faults -- --gateway C1,C2,C3,O3,O4`: these rows as the service levels word them, with their figures. */
import { GatewayWorld } from './gateway-world.ts';
import { backRow } from './row-back.ts';
import { postsRow } from './row-posts.ts';
import { reloadsRow } from './row-reloads.ts';
import { retriesRow } from './row-retries.ts';
import { rollingRow } from './row-rolling.ts';

const POSTS = 20;
const RELOADS = 60;
const SIGTERM_EVERY_S = 10;
/** What an upstream fails for (O3). */
const FAILING_S = 30;

export interface GatewayRows {
  readonly rows: readonly string[];
  /** That edges are restarted under load (C3). */
  readonly seconds: number;
  /** Of an edge (O4). */
  readonly kills: number;
  readonly say: (line: string) => void;
}

const ROWS: Readonly<Record<string, (run: GatewayRows) => Promise<readonly string[]>>> = {
  C1: async ({ say }) => {
    await using world = await GatewayWorld.start();
    return await postsRow(world, { times: POSTS, say });
  },
  C2: async ({ say }) => {
    await using world = await GatewayWorld.start();
    return await reloadsRow(world, { reloads: RELOADS, say });
  },
  C3: ({ seconds, say }) => rollingRow({ seconds, everySeconds: SIGTERM_EVERY_S, say }),
  O3: ({ say }) => retriesRow({ seconds: FAILING_S, say }),
  O4: backRow,
};

/** @returns the number of violations. */
export const gatewayRows = async (run: GatewayRows): Promise<number> => {
  let violations = 0;
  for (const row of run.rows) {
    const judge = ROWS[row];
    if (judge === undefined)
      throw new Error(`--gateway: ${row} is not one of ${Object.keys(ROWS).join(', ')}`);
    const wrong = await judge(run);
    run.say(`${row} violations: ${wrong.length}`);
    for (const one of wrong.slice(0, 10)) run.say(`  ${one}`);
    violations += wrong.length;
  }
  return violations;
};
