import type { BatchContract } from '@sluice/contracts';
import type { z } from 'zod';
import type { Bus } from './bus.ts';
import { limitLines } from './limit-lines.ts';
import type { Logger } from './logger.ts';
import { messagingAttributes, SERVER, withSpan } from './telemetry.ts';

type Shape = z.ZodRawShape;

/** The checks of one message: traces of those that are recorded, and how many there are in all. */
interface Companions {
  readonly recorded: readonly string[];
  readonly count: number;
}

const MAX_PROBLEM_LENGTH = 500;
/** Other requests of one message that a check's span names; under load all are recorded at once. */
const MAX_LINKS = 16;

/** A check that cannot be decided; its code travels to the asker, its message only to the log. */
export class CheckFailed extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CheckFailed';
    this.code = code;
  }
}

/**
 * Answers a batched contract, each check on its own: one that fails becomes an `error` item and leaves the others
 * alone. A sampled check runs inside a span whose parent is the request that asked, linked with those it travelled with. Failures are logged at most once a
 * second and code, by name and message: what else an error carries may be the caller's data.
 */
export const answerBatch = <C extends Shape, V extends Shape>(
  bus: Bus,
  contract: BatchContract<C, V>,
  logger: Logger,
  decide: (check: z.output<z.ZodObject<C>>) => Promise<z.input<z.ZodObject<V>>>,
): void => {
  const decideTraced = (
    check: z.output<z.ZodObject<C>> & { traceparent?: string },
    { recorded, count }: Companions,
  ) =>
    check.traceparent === undefined
      ? decide(check)
      : withSpan(
          `process ${contract.subject}`,
          {
            kind: SERVER,
            traceparent: check.traceparent,
            links: recorded.filter((one) => one !== check.traceparent).slice(0, MAX_LINKS),
            attributes: {
              ...messagingAttributes('process', contract.subject),
              ...(contract.queue === undefined ? {} : { 'messaging.consumer.group.name': contract.queue }),
              ...(count === 1 ? {} : { 'messaging.batch.message_count': count }),
            },
          },
          () => decide(check),
        );

  const report = limitLines((failure: { code: string; problem: string }, leftOut) =>
    logger.warn({ subject: contract.subject, ...failure, leftOut }, 'check failed'),
  );

  bus.answer(contract, async (request) => {
    const { checks } = request as unknown as {
      checks: (z.output<z.ZodObject<C>> & { id: number; traceparent?: string })[];
    };
    const recorded = checks.flatMap(({ traceparent }) => traceparent ?? []);
    const companions = { recorded, count: checks.length };
    const results = await Promise.all(
      checks.map(async (check) => {
        try {
          return { ...(await decideTraced(check, companions)), id: check.id };
        } catch (error) {
          const code = error instanceof CheckFailed ? error.code : 'internal';
          report(code, { code, problem: problemOf(error) });
          return { id: check.id, outcome: 'error' as const, code, message: 'the check could not be decided' };
        }
      }),
    );
    return { v: 1, results } as never;
  });
};

const problemOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.slice(0, MAX_PROBLEM_LENGTH) : typeof error;
