import { join } from 'node:path';
import { mergeConfig } from 'vitest/config';
import config from '../vitest.config.ts';

/** That of the tests, and what was tried is told. */
export default mergeConfig(config, {
  test: { setupFiles: [join(import.meta.dirname, 'fuzz-figures.ts')] },
});
