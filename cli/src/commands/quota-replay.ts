import { DEAD_REASONS } from '@sluice/contracts';
import { type Delivery, type JetStream, readStream } from '@sluice/service-kit';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { addressOf, NotReached, openJetStream, type QuotaOptions } from './quota.ts';

const DEADLETTER = 'DEADLETTER';
const QUOTA_DEAD = 'quota.dead';
const BYTES_SHOWN = 60;

interface ReplayOptions extends QuotaOptions {
  readonly reason?: string;
  readonly tenant?: string;
  /** `7` or `7-20`: places in DEADLETTER. */
  readonly sequence?: string;
  /** Absent: only say what would be published. */
  readonly apply?: boolean;
}

interface DeadLetter {
  readonly sequence: number;
  readonly reason: string;
  readonly message: string;
  readonly tenant: string | null;
  /** Subject and place that it had. */
  readonly subject: string;
  readonly stream: string;
  readonly originalSequence: number;
  readonly bytes: number;
  /** Only its beginning is in the dead letter; the whole is at its place in its stream, while that lasts. */
  readonly isTruncated: boolean;
}

type Outcome = 'would be published' | 'published' | 'published before' | 'cannot be replayed';
type Shown = DeadLetter & { readonly outcome: Outcome };

/**
 * Publishes dead letters again where they came from, as they were; the mirror judges them like any event, so one
 * that is older than what its tenant has changes nothing and one that is still poison is a dead letter again.
 */
export const replay = async (options: ReplayOptions, io: Surroundings): Promise<number> => {
  const wanted = wantedBy(options);
  if (typeof wanted === 'string') return refuse(io, EXIT.invalid, wanted, options);
  try {
    await using open = await openJetStream(addressOf(io, options, 'nats'));
    const { createdMs } = await open.jetstream.streamInfo(DEADLETTER);
    const found: Shown[] = [];
    await readStream(open.jetstream, DEADLETTER, async (page) => {
      for (const delivery of page) {
        const letter = letterOf(delivery);
        if (letter === undefined || !wanted(letter)) continue;
        const outcome = options.apply
          ? await publish(open.jetstream, delivery, letter, createdMs)
          : 'would be published';
        found.push({ ...letter, outcome });
      }
    });
    tell(found, options, io);
    return found.some(({ outcome }) => outcome === 'cannot be replayed') ? EXIT.invalid : EXIT.ok;
  } catch (error) {
    if (error instanceof NotReached) return refuse(io, EXIT.environment, error.message, options);
    if ((error as { code?: string }).code === '404')
      return refuse(io, EXIT.environment, 'there is no stream DEADLETTER: no quota-mirror ran here', options);
    throw error;
  }
};

/** A text says what is wrong with the options. */
const wantedBy = ({
  reason,
  tenant,
  sequence,
}: ReplayOptions): string | ((letter: DeadLetter) => boolean) => {
  if (reason !== undefined && !DEAD_REASONS.some((known) => known === reason))
    return `--reason: there is no reason ${reason}; give one of ${DEAD_REASONS.join(', ')}`;
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(sequence ?? '') ?? [];
  if (sequence !== undefined && first === undefined)
    return '--sequence: give a number such as 7, or a range such as 7-20';
  return (letter) =>
    (reason === undefined || letter.reason === reason) &&
    (tenant === undefined || letter.tenant === tenant) &&
    (sequence === undefined || (letter.sequence >= Number(first) && letter.sequence <= Number(last)));
};

const letterOf = (delivery: Delivery): DeadLetter | undefined => {
  if (delivery.subject !== QUOTA_DEAD) return undefined;
  return {
    sequence: delivery.seq,
    reason: delivery.header('X-Dead-Reason') ?? 'unknown',
    message: delivery.header('X-Dead-Message') ?? '',
    tenant: tenantIn(delivery.data),
    subject: delivery.header('X-Orig-Subject') ?? '',
    stream: delivery.header('X-Orig-Stream') ?? '',
    originalSequence: Number(delivery.header('X-Orig-Seq') ?? 0),
    bytes: delivery.data.length,
    isTruncated: delivery.header('X-Dead-Truncated') !== undefined,
  };
};

const tenantIn = (data: Uint8Array): string | null => {
  try {
    const { tenantId } = JSON.parse(Buffer.from(data).toString()) as { tenantId?: unknown };
    return typeof tenantId === 'string' ? tenantId : null;
  } catch {
    return null; // that may be why it is here
  }
};

/** The id makes a second run within the stream's window change nothing; after it the mirror's order does. */
const publish = async (
  jetstream: JetStream,
  delivery: Delivery,
  letter: DeadLetter,
  createdMs: number,
): Promise<Outcome> => {
  const data = letter.isTruncated ? await wholeOf(jetstream, letter) : delivery.data;
  if (data === undefined || letter.subject === '') return 'cannot be replayed';
  const own = Object.entries(delivery.headers()).filter(
    ([name]) => !/^(nats-|x-dead-|x-orig-|x-deliveries$)/i.test(name),
  );
  const { duplicate } = await jetstream.append(letter.subject, data, {
    msgId: `replay-${createdMs}-${letter.sequence}`,
    headers: { ...Object.fromEntries(own), 'X-Replayed-From': `${DEADLETTER}.${letter.sequence}` },
  });
  return duplicate ? 'published before' : 'published';
};

const wholeOf = async (jetstream: JetStream, letter: DeadLetter): Promise<Uint8Array | undefined> => {
  const { manager } = await jetstream.raw();
  const stored = await manager.streams
    .getMessage(letter.stream, { seq: letter.originalSequence })
    .catch(() => undefined); // let go since: said by the outcome
  return stored?.subject === letter.subject ? stored.data : undefined;
};

const tell = (found: readonly Shown[], options: ReplayOptions, io: Surroundings): void => {
  const isDryRun = options.apply !== true;
  if (options.json) {
    printJson(io.out, { dryRun: isDryRun, total: found.length, data: found });
    return;
  }
  for (const { sequence, reason, tenant, message, bytes, outcome } of found)
    printLine(
      io.out,
      `${sequence}  ${reason}  ${tenant ?? '-'}  ${bytes} B  ${outcome}  ${message.slice(0, BYTES_SHOWN)}`,
    );
  if (found.length === 0) printLine(io.out, 'no dead letter fits');
  else if (isDryRun)
    printLine(
      io.out,
      `${paint(io.out, 'yellow', '!')} nothing was published: this is what --apply would publish (${found.length})`,
    );
};
