import { ratelimitCheck } from '@sluice/contracts';
import { Bus, createMetrics, Lane, startTelemetry } from '@sluice/service-kit';
import { eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { answerChecks } from '../src/answer.ts';
import { ratelimitMetrics } from '../src/metrics.ts';
import { check, openStore } from './harness.ts';

interface EndedSpan {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly parentSpanContext?: { readonly spanId: string };
  readonly links: readonly { readonly context: { readonly traceId: string; readonly spanId: string } }[];
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

test('given sampled checks among others, when decided, then the trace of each shows the call to Redis and names the others’, and the rest leaves none', async () => {
  await using nats = await startNats();
  await using server = await startRedis();
  await using a = await openStore(server);
  const spans: EndedSpan[] = [];
  const done = () => Promise.resolve();
  const processor = {
    onStart: () => undefined,
    onEnd: (span: EndedSpan) => void spans.push(span),
    forceFlush: done,
    shutdown: done,
  };
  const telemetry = await startTelemetry('ratelimit', {}, { processors: [processor] });
  const metrics = ratelimitMetrics(createMetrics('ratelimit', 'test'), () => true);
  const logger = silentLogger();
  const provider = Bus.open({ url: nats.url, name: 'provider', logger });
  const asker = Bus.open({ url: nats.url, name: 'asker', logger });
  answerChecks(provider, { store: a.store, metrics, logger });
  await (await provider.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, { ...ratelimitCheck, timeoutMs: 5000 }, { isIdempotent: false });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const question = check([{ period: 'minute', limit: 10 }]);

  const other = { traceId: 'a3ce929d0e0e47364bf92f3577b34da6', spanId: 'b902b700f067aa0b' };
  await Promise.all([
    lane.ask(question),
    lane.ask(question, `00-${traceId}-00f067aa0ba902b7-01`),
    lane.ask(question, `00-${other.traceId}-${other.spanId}-01`),
  ]);

  await eventually(() => spans.length >= 4);
  expect(spans).toHaveLength(4);
  const [inner, outer] = spans.filter((span) => span.spanContext().traceId === traceId);
  expect([inner?.name, outer?.name]).toEqual(['EVALSHA spend', 'process ratelimit.v1.check']);
  expect(outer?.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
  expect(outer?.links.map(({ context }) => context)).toMatchObject([other]);
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  expect(inner?.attributes).toEqual({
    'db.system.name': 'redis',
    'db.operation.name': 'EVALSHA',
    'db.namespace': '0',
    'db.stored_procedure.name': 'spend',
    'server.address': '127.0.0.1',
    'server.port': server.port,
  });
  await asker.close();
  await provider.close();
  await telemetry.shutdown();
});
