import { z } from 'zod';

/** The processes of the platform; one of them owns each subject. */
export type Party =
  | 'edge-proxy'
  | 'auth'
  | 'ratelimit'
  | 'quota-mirror'
  | 'config-registry'
  /** The command line and whoever operates the gateway. */
  | 'cli'
  | 'litellm'
  | 'anyone';

/** A question answered by exactly one member of a queue group (or by every member, for `scatter`). */
export interface RequestReplyContract<Req extends z.ZodType = z.ZodType, Res extends z.ZodType = z.ZodType> {
  readonly kind: 'request-reply';
  readonly subject: string;
  readonly summary: string;
  readonly owner: Party;
  /** Processes that answer it beside the owner. */
  readonly alongside?: readonly Party[];
  readonly askedBy: readonly Party[];
  /** Members of this queue group share the work; absent: every subscriber answers. */
  readonly queue?: string;
  /** Upper bound the caller waits before it takes its fallback, in ms. */
  readonly timeoutMs: number;
  readonly request: Req;
  readonly reply: Res;
  readonly examples: readonly {
    readonly name: string;
    readonly request: z.input<Req>;
    readonly reply: z.input<Res>;
  }[];
}

/** Something that happened. `subject` may end in one `{token}`, which `subjectFor` fills. */
export interface EventContract<Payload extends z.ZodType = z.ZodType> {
  readonly kind: 'event';
  readonly subject: string;
  readonly summary: string;
  readonly owner: Party;
  /** Processes that publish it beside the owner. */
  readonly alongside?: readonly Party[];
  readonly readers: readonly Party[];
  /** The JetStream stream that keeps it; absent: a core message, lost when nobody listens. */
  readonly stream?: string;
  readonly payload: Payload;
  readonly examples: readonly { readonly name: string; readonly payload: z.input<Payload> }[];
}

export type Contract = RequestReplyContract | EventContract;

/** Declares a subject with a request and a reply. */
export const requestReply = <Req extends z.ZodType, Res extends z.ZodType>(
  contract: Omit<RequestReplyContract<Req, Res>, 'kind'>,
): RequestReplyContract<Req, Res> => ({ kind: 'request-reply', ...contract });

/** Declares an event. */
export const event = <P extends z.ZodType>(contract: Omit<EventContract<P>, 'kind'>): EventContract<P> => ({
  kind: 'event',
  ...contract,
});

/** Correlates one check inside a batch; unique per asker while the check is in flight. */
const checkId = z.int().nonnegative();
/** W3C traceparent of the request that asks; present only when that request is sampled. */
const traceparent = z.string().max(64).optional();

const failedCheck = z.object({
  id: checkId,
  outcome: z.literal('error'),
  code: z.string(),
  message: z.string(),
});
/** One item of a batch that could not be decided; the others of the batch are unaffected. */
export type FailedCheck = z.output<typeof failedCheck>;

export const MAX_CHECKS_PER_MESSAGE = 64;

/** The request and reply shape of a batch: `{v, checks: [...]}` to `{v, results: [...]}`, matched by `id`. */
const batchRequest = <C extends z.ZodRawShape>(check: z.ZodObject<C>) =>
  z.object({
    v: z.literal(1),
    checks: z
      .array(check.extend({ id: checkId, traceparent }))
      .min(1)
      .max(MAX_CHECKS_PER_MESSAGE),
  });
const batchReply = <V extends z.ZodRawShape>(verdict: z.ZodObject<V>) =>
  z.object({
    v: z.literal(1),
    results: z.array(z.union([verdict.extend({ id: checkId }), failedCheck])),
  });

/** A request-reply contract whose only form is a batch: all checks of one turn travel in one message. */
export interface BatchContract<
  C extends z.ZodRawShape = z.ZodRawShape,
  V extends z.ZodRawShape = z.ZodRawShape,
> extends RequestReplyContract<ReturnType<typeof batchRequest<C>>, ReturnType<typeof batchReply<V>>> {
  readonly check: z.ZodObject<C>;
  readonly verdict: z.ZodObject<V>;
}

/**
 * Declares a batched question. Examples are given per check; the wire form `{v:1, checks:[{id, …}]}` is
 * derived, and an item that fails is an item `{id, outcome:'error', code, message}`, never a failed message.
 */
export const batchedRequest = <C extends z.ZodRawShape, V extends z.ZodRawShape>(
  contract: Omit<RequestReplyContract, 'kind' | 'request' | 'reply' | 'examples'> & {
    check: z.ZodObject<C>;
    verdict: z.ZodObject<V>;
    examples: readonly {
      name: string;
      check: z.input<z.ZodObject<C>>;
      verdict: z.input<z.ZodObject<V>>;
    }[];
  },
): BatchContract<C, V> => {
  const { check, verdict, examples, ...rest } = contract;
  return {
    ...rest,
    kind: 'request-reply',
    check,
    verdict,
    request: batchRequest(check),
    reply: batchReply(verdict),
    examples: examples.map(({ name, check: asked, verdict: answer }) => ({
      name,
      request: { v: 1 as const, checks: [{ id: 1, ...(asked as object) }] },
      reply: { v: 1 as const, results: [{ id: 1, ...(answer as object) }] },
    })) as unknown as BatchContract<C, V>['examples'],
  };
};
