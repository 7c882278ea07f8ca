import fc from 'fast-check';
import { expect } from 'vitest';

/** In `npm run fuzz`: says of each property how many inputs it held for, and the seed that makes them again. */
fc.configureGlobal({
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
  reporter: (run) => {
    if (run.failed) throw new Error(fc.defaultReportMessage(run));
    process.stdout.write(
      `${expect.getState().currentTestName}: ${run.numRuns} runs, nothing found, seed ${run.seed}\n`,
    );
  },
});
