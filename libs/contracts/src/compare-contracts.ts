import { z } from 'zod';
import { compareSchemas, type SchemaBreak } from './compare-schemas.ts';

const Operation = z.object({
  channel: z.object({ $ref: z.string() }),
  'x-owner': z.string(),
  'x-readers': z.array(z.string()),
});
/** What is compared of an AsyncAPI document as `toAsyncApi` writes it. */
const Document = z.object({
  operations: z.record(z.string(), Operation),
  components: z.object({
    messages: z.record(z.string(), z.object({ payload: z.record(z.string(), z.unknown()) })),
  }),
});
type Document = z.output<typeof Document>;

const GONE = 'is gone';

/** One thing that two releases beside each other would misunderstand. */
export interface ContractBreak {
  readonly subject: string;
  readonly message: 'request' | 'reply' | 'event';
  /** `checks[].scheme`; empty: the message itself. */
  readonly field: string;
  readonly what: string;
  /** Whose messages are refused, and by whom. */
  readonly senders: readonly string[];
  readonly readers: readonly string[];
  readonly release: 'sender' | 'reader';
}

/**
 * Compares the contracts of a release with those of now, both as AsyncAPI documents. Within a subject only optional
 * fields are added; anything else in this list needs a subject with a new version beside the old one.
 * @throws z.ZodError when one is no such document.
 */
export const compareContracts = (released: unknown, current: unknown): ContractBreak[] => {
  const [before, now] = [Document.parse(released), Document.parse(current)];
  return Object.keys(before.operations).flatMap((subject) => compareSubject(subject, before, now));
};

const compareSubject = (subject: string, before: Document, now: Document): ContractBreak[] => {
  const parties = partiesOf(subject, before);
  if (now.operations[subject] === undefined)
    return [{ subject, ...parties.event, field: '', what: GONE, release: 'sender' }];
  return (['request', 'reply', 'event'] as const).flatMap((message) => {
    const id = message === 'event' ? subject : `${subject}.${message}`;
    const [released, current] = [before.components.messages[id], now.components.messages[id]];
    if (released === undefined || current === undefined) return [];
    return compareSchemas(released.payload, current.payload).map((found) => ({
      ...{ subject, ...parties[message], field: found.field, what: found.what },
      release: releaseOf(found),
    }));
  });
};

const releaseOf = ({ effect }: SchemaBreak) =>
  effect === 'narrower' ? ('sender' as const) : ('reader' as const);

/** Who asks sends the request and reads the reply; who owns an event sends it. */
const partiesOf = (subject: string, { operations }: Document) => {
  const owners = [operations[subject]?.['x-owner'] ?? ''];
  const others = operations[subject]?.['x-readers'] ?? [];
  return {
    request: { message: 'request' as const, senders: others, readers: owners },
    reply: { message: 'reply' as const, senders: owners, readers: others },
    event: { message: 'event' as const, senders: owners, readers: others },
  };
};

/** One sentence: which field of which message, what changed, and who refuses whose message. */
export const describeBreak = ({
  subject,
  message,
  field,
  what,
  senders,
  readers,
  release,
}: ContractBreak): string => {
  if (field === '' && what === GONE)
    return `${subject} ${GONE}: a released ${[...senders, ...readers].join(' or ')} still speaks it`;
  const where = field === '' ? `${subject} (${message})` : `${subject} (${message}): ${field}`;
  const [sending, reading] = [senders.join(' and '), readers.join(' and ')];
  return release === 'sender'
    ? `${where} ${what}: ${reading} of now would refuse what a released ${sending} sends`
    : `${where} ${what}: a released ${reading} would refuse what ${sending} of now sends`;
};
