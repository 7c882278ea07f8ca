import type { Reporter, TestModule } from 'vitest/node';

/** Closes the run with the one line that any CI can read: "12 passed, 0 failed, 1 skipped". */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[] = []): void {
    const tally = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    // What broke outside a test (a file that does not load, an unhandled error) counts as a failure too.
    tally.failed += errors.length;
    for (const module of modules) {
      tally.failed += module.errors().length;
      for (const test of module.children.allTests()) tally[test.result().state] += 1;
    }
    const skipped = tally.skipped + tally.pending;
    process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${skipped} skipped\n`);
  }
}
