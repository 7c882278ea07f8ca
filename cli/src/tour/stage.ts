import { quotaUpdated } from '@sluice/contracts';
import type { JetStream } from '@sluice/service-kit';
import type { Tried } from './canary.ts';
import { QUOTA_LIMIT, SCENES, TIMES } from './scenes.ts';
import type { Answered, TrafficOptions } from './traffic.ts';

/** Answers by status, for each tenant. */
export type Sums = Record<string, Record<string, number>>;

interface Props {
  readonly say: (line: string) => void;
  readonly jetstream: JetStream;
  readonly mood: { isFailing: boolean };
  readonly tryCanary: () => Promise<Tried>;
}

/** What people are told of a scene, with the command that shows it. */
const told = (what: string, ...commands: string[]): string =>
  [what, ...commands.map((command) => `    npm run -s sluice -- ${command}`)].join('\n');

const FIRST = {
  limited: ({ scene, id }: Answered) =>
    told(
      `● ${scene.tenant} is over its limit: 429. Why, by which figure, and what can be done:`,
      `explain ${id}`,
      `tail --tenant ${scene.tenant} --status 429`,
    ),
  spent: ({ scene, id }: Answered) =>
    told(`● ${scene.tenant} has used up its quota: 429, for another reason:`, `explain ${id}`),
  failed: ({ id }: Answered) =>
    told('● The upstream breaks off: 502, to everybody who asks for it:', `explain ${id}`, 'top --once'),
  recovered: () => told('● The upstream is back:', 'tail --status 2', 'top --once'),
};

const CANARY_BEGINS = '● A configuration with a mistake is tried by some of the edges …';
const canaryEnded = (tried: Tried): string =>
  tried.wasTried
    ? told(
        `● … and ${tried.edges.join(', ')} dropped it: ${tried.reason}. Nobody had to look:`,
        'audit list --limit 5',
        'history --limit 3',
      )
    : `○ … but was not tried to its end: ${tried.why}.`;

/** Moves the scenes along with the time, and says what there is to see when it is seen for the first time. */
export class Stage implements Pick<TrafficOptions, 'onAnswer' | 'onTime' | 'isOver'> {
  readonly sums: Sums = {};
  readonly seen = new Set<keyof typeof FIRST | 'canary'>();
  readonly #props: Props;
  #canary: 'to come' | 'under way' | 'over' = 'to come';
  /** In hundredths of the quota. */
  #used = -1;

  constructor(props: Props) {
    this.#props = props;
  }

  readonly onAnswer = (answered: Answered): void => {
    const { scene, status } = answered;
    const sums = this.sums[scene.tenant] ?? {};
    this.sums[scene.tenant] = sums;
    sums[status] = (sums[status] ?? 0) + 1;
    if (status === 429) this.#tell(scene === SCENES.spent ? 'spent' : 'limited', answered);
    else if (status >= 500) this.#tell('failed', answered);
    else if (this.seen.has('failed') && !this.#props.mood.isFailing) this.#tell('recovered', answered);
  };

  readonly onTime = (part: number): Promise<void> | undefined => {
    this.#props.mood.isFailing = part >= TIMES.failsAt && part < TIMES.recoversAt;
    if (part >= TIMES.canaryAt && this.#canary === 'to come' && this.#isWell()) void this.#tryCanary();
    const used = Math.min(100, Math.floor((part / TIMES.quotaOverAt) * 10) * 10);
    if (used === this.#used) return undefined;
    this.#used = used;
    return publishQuota(this.#props.jetstream, used / 100);
  };

  /** The time is over, and what was begun in it. */
  readonly isOver = (part: number): boolean => part >= 1 && this.#canary !== 'under way';

  /** Who compares edges while the upstream fails compares nothing. */
  #isWell(): boolean {
    return this.seen.has('recovered') || !this.seen.has('failed');
  }

  async #tryCanary(): Promise<void> {
    this.#canary = 'under way';
    this.#props.say(CANARY_BEGINS);
    const tried = await this.#props.tryCanary();
    if (tried.wasTried) this.seen.add('canary');
    this.#props.say(canaryEnded(tried));
    this.#canary = 'over';
  }

  #tell(name: keyof typeof FIRST, answered: Answered): void {
    if (this.seen.has(name)) return;
    this.seen.add(name);
    this.#props.say(FIRST[name](answered));
  }
}

/** As LiteLLM tells what a tenant has used. */
const publishQuota = async (jetstream: JetStream, share: number): Promise<void> => {
  const now = new Date();
  const used = Math.round(QUOTA_LIMIT * share);
  const event = {
    ...{ eventId: crypto.randomUUID(), occurredAt: now.toISOString(), tenantId: SCENES.spent.tenant },
    ...{ platformId: 'platform-1', correlationId: crypto.randomUUID(), actor: 'sluice-demo' },
    payload: {
      ...{ limit: QUOTA_LIMIT, used, remaining: QUOTA_LIMIT - used, period: 'monthly' },
      resetAt: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString(),
    },
  };
  await jetstream.append(quotaUpdated.subject, JSON.stringify(event), { msgId: event.eventId });
};
