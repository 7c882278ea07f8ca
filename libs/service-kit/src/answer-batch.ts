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

type Decided<C extends Shape> = z.output<z.ZodObject<C>>;
type Verdict<V extends Shape> = z.input<z.ZodObject<V>>;
/** A check as it came. */
type Asked<C extends Shape> = Decided<C> & { readonly id: number; readonly traceparent?: string };

/** How checks are decided. */
export interface Deciders<C extends Shape, V extends Shape> {
  readonly one: (check: Decided<C>) => Promise<Verdict<V>>;
  /** All of a message that are not sampled: their verdicts in their order, or why there is none. */
  readonly many: (checks: readonly Decided<C>[]) => Promise<readonly (Verdict<V> | CheckFailed)[]>;
}

/**
 * Answers a batched contract, each check on its own: one that fails becomes an `error` item and leaves the others
 * alone. Where `decide` knows a way for many, those that are not sampled are decided in one go. A sampled check runs
 * inside a span whose parent is the request that asked, linked with those it travelled with. Failures are logged at
 * most once a second and code, by name and message: what else an error carries may be the caller's data.
 */
export const answerBatch = <C extends Shape, V extends Shape>(
  bus: Bus,
  contract: BatchContract<C, V>,
  logger: Logger,
  decide: Deciders<C, V>['one'] | Deciders<C, V>,
): void => {
  const { one, many } = typeof decide === 'function' ? { one: decide, many: undefined } : decide;
  const decideTraced = (check: Asked<C>, { recorded, count }: Companions) =>
    check.traceparent === undefined
      ? one(check)
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
          () => one(check),
        );

  const report = limitLines((failure: { code: string; problem: string }, leftOut) =>
    logger.warn({ subject: contract.subject, ...failure, leftOut }, 'check failed'),
  );

  const failed = (id: number, error: unknown) => {
    const code = error instanceof CheckFailed ? error.code : 'internal';
    report(code, { code, problem: problemOf(error) });
    return { id, outcome: 'error' as const, code, message: 'the check could not be decided' };
  };
  const answerOne = async (check: Asked<C>, companions: Companions) => {
    try {
      return { ...(await decideTraced(check, companions)), id: check.id };
    } catch (error) {
      return failed(check.id, error);
    }
  };
  const answerMany = async (checks: readonly Asked<C>[], decideMany: Deciders<C, V>['many']) => {
    try {
      const verdicts = await decideMany(checks);
      return checks.map(({ id }, i) => {
        const verdict = verdicts[i];
        return verdict === undefined || verdict instanceof CheckFailed
          ? failed(id, verdict)
          : { ...verdict, id };
      });
    } catch (error) {
      return checks.map(({ id }) => failed(id, error));
    }
  };

  bus.answer(contract, async (request) => {
    const { checks } = request as unknown as { checks: readonly Asked<C>[] };
    const recorded = checks.flatMap(({ traceparent }) => traceparent ?? []);
    const companions = { recorded, count: checks.length };
    const isAlone = ({ traceparent }: Asked<C>) => many === undefined || traceparent !== undefined;
    const alone = recorded.length === 0 && many !== undefined ? [] : checks.filter(isAlone);
    const together = alone.length === 0 ? checks : checks.filter((check) => !isAlone(check));
    const answers = await Promise.all([
      ...alone.map((check) => answerOne(check, companions)),
      ...(many === undefined || together.length === 0 ? [] : [answerMany(together, many)]),
    ]);
    return { v: 1, results: answers.flat() } as never;
  });
};

const problemOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.slice(0, MAX_PROBLEM_LENGTH) : typeof error;
