import { expect, test } from 'vitest';
import { startTelemetry } from '../src/index.ts';

test.each([
  [{}, 1],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, 1],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 0],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' }, 0.1],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, 1],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: 'often' }, 1],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, 1],
])('given %j, then the process that chooses draws for %d of the traces', async (env, share) => {
  const telemetry = await startTelemetry('test', env, { processors: [], choosesRoots: true });
  await telemetry.shutdown();

  expect(telemetry.rootShare).toBe(share);
});
