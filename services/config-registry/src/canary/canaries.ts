import { type ConfigFollower, dropCandidate, storeCandidate } from '@sluice/config-log';
import { configOffered, edgeTraffic } from '@sluice/contracts';
import { type ConfigState, diffStates } from '@sluice/gateway-config';
import type { Bus, JetStream, Logger } from '@sluice/service-kit';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Committer } from '../commit.ts';
import type { LiveEdges } from '../live-edges.ts';
import { whatCannotBeTried } from './can-be-tried.ts';
import { type Compared, compare, whatIsWorse } from './judge.ts';
import { tellCanary } from './tell-canary.ts';

const EVERY_MS = 1000;
/** So long edges go on without a word from here: three offers and a half. */
const LEASE_MS = 3500;
const TAKEN_WITHIN_MS = 10_000;

export interface CanaryParts {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly follower: ConfigFollower;
  readonly edges: LiveEdges;
  readonly committer: Committer;
  readonly audit: AuditLog;
  readonly instance: string;
  readonly logger: Logger;
}

export interface CanaryRequest {
  readonly state: ConfigState;
  /** Of the edges, above 0 and below 1. */
  readonly share: number;
  readonly forMs: number;
  /** Of fewer requests to the candidate nothing is concluded, and at the end it is dropped. */
  readonly leastRequests: number;
  readonly author: string;
  readonly message: string | undefined;
  readonly sourceAddress: string | undefined;
}

export interface Canary {
  readonly id: string;
  readonly base: { readonly epoch: string; readonly version: number };
  readonly edges: readonly string[];
  readonly author: string;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly phase: 'starting' | 'running' | 'promoted' | 'rolled-back';
  readonly reason: string | undefined;
  /** Of the commit. */
  readonly version: number | undefined;
  readonly compared: Compared | undefined;
}

/** Why no canary was begun. */
export interface CanaryRefused {
  readonly code: 'canary_running' | 'canary_not_possible' | 'canary_too_few_edges' | 'canary_unchanged';
  readonly message: string;
}

interface Running {
  canary: Canary;
  readonly request: CanaryRequest;
  /** When all its edges served it, by `performance.now()`. */
  takenAt: number | undefined;
  readonly begunAt: number;
  isJudging: boolean;
  /** The commit is on its way: nobody can end it any more. */
  isPromoted: boolean;
}

/**
 * Lets some edges serve a candidate for a while, compares them with the others, and then makes it the live
 * configuration or drops it. Edges serve it only while this process says so every second.
 */
export class Canaries {
  readonly #parts: CanaryParts;
  #running: Running | undefined;
  #last: Canary | undefined;
  /** Another registry's, heard of lately. */
  #foreignUntil = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: CanaryParts) {
    this.#parts = parts;
    parts.bus.on(configOffered, ({ instance, edges, leaseMs }) => {
      if (instance !== parts.instance)
        this.#foreignUntil = edges.length === 0 ? 0 : performance.now() + leaseMs;
    });
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  /** The one that runs, or the last one of this process. */
  get current(): Canary | undefined {
    return this.#running?.canary ?? this.#last;
  }

  /** Begins one; what is given must be a valid configuration. */
  async start(request: CanaryRequest): Promise<Canary | CanaryRefused> {
    const { follower, jetstream, edges } = this.#parts;
    const refused = this.#whyNot(request);
    if (refused !== undefined) return refused;
    const all = edges.instancesOf('edge-proxy').sort();
    const count = Math.min(all.length - 1, Math.max(1, Math.round(request.share * all.length)));
    const { position } = follower;
    const now = Date.now();
    const canary: Canary = {
      ...{ id: '', base: { epoch: position.epoch, version: position.version }, edges: all.slice(0, count) },
      ...{
        author: request.author,
        phase: 'starting',
        reason: undefined,
        version: undefined,
        compared: undefined,
      },
      startedAt: new Date(now).toISOString(),
      endsAt: new Date(now + request.forMs).toISOString(),
    };
    const running: Running = {
      canary,
      request,
      takenAt: undefined,
      begunAt: performance.now(),
      isJudging: true,
      isPromoted: false,
    };
    this.#running = running;
    try {
      running.canary = { ...canary, id: await storeCandidate(jetstream, request.state, position) };
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
    running.isJudging = false;
    this.#offer(running.canary.edges);
    await tellCanary(this.#parts, 'started', running);
    return running.canary;
  }

  /** @returns false when none runs here, or it has just been promoted. */
  async abort(reason: string): Promise<boolean> {
    if (this.#running === undefined || this.#running.isPromoted) return false;
    await this.#end(this.#running, { phase: 'rolled-back', reason });
    return true;
  }

  /** Makes the candidate live before its time is over. Its edges serve it already; nothing more is concluded. */
  async promote(by: string): Promise<'unknown' | 'starting' | 'ended'> {
    const running = this.#running;
    if (running === undefined || running.isPromoted) return 'unknown';
    if (running.takenAt === undefined) return 'starting';
    await this.#promote(running, `promoted by ${by}`);
    return 'ended';
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#running !== undefined) this.#offer([]);
  }

  #whyNot({ state }: CanaryRequest): CanaryRefused | undefined {
    const { follower, edges } = this.#parts;
    if (this.#running !== undefined || performance.now() < this.#foreignUntil)
      return { code: 'canary_running', message: 'another candidate is tried now: wait for it, or abort it' };
    const ops = diffStates(follower.state, state);
    if (ops.length === 0)
      return { code: 'canary_unchanged', message: 'the candidate is what the edges serve already' };
    const not = whatCannotBeTried(ops, follower.state);
    if (not !== undefined)
      return {
        code: 'canary_not_possible',
        message: `${not}, and auth knows only what is live: apply it, and roll back if need be`,
      };
    return edges.count < 2
      ? { code: 'canary_too_few_edges', message: 'it takes two edges: one to try it, one to compare with' }
      : undefined;
  }

  #offer(edges: readonly string[]): void {
    const canary = this.#running?.canary;
    if (canary === undefined) return;
    const { bus, instance } = this.#parts;
    bus.publish(configOffered, {
      id: canary.id,
      base: canary.base,
      instance,
      edges: [...edges],
      leaseMs: LEASE_MS,
    });
  }

  async #look(): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.isJudging || running.isPromoted) return;
    running.isJudging = true;
    try {
      this.#offer(running.canary.edges);
      const reason = this.#whatIsWrong(running);
      if (reason !== undefined) await this.#end(running, { phase: 'rolled-back', reason });
      else if (running.takenAt !== undefined) await this.#judge(running, running.takenAt);
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'canary not looked at, trying again');
    } finally {
      running.isJudging = false;
    }
  }

  /** What ends it before any request is looked at. */
  #whatIsWrong(running: Running): string | undefined {
    const { follower, edges } = this.#parts;
    const { id, base, edges: named } = running.canary;
    const { epoch, version } = follower.position;
    if (epoch !== base.epoch || version !== base.version) return `r${version} went live meanwhile`;
    const processes = edges.processes().filter(({ instance }) => named.includes(instance));
    const refusing = processes.find(({ refusal }) => refusal !== undefined);
    if (refusing !== undefined) return `${refusing.instance} refuses it: ${refusing.refusal}`;
    const serving = processes.filter(({ candidate }) => candidate === id).length;
    if (running.takenAt !== undefined)
      return serving === named.length ? undefined : `${serving} of ${named.length} edges still serve it`;
    if (serving === named.length) {
      running.takenAt = performance.now();
      running.canary = { ...running.canary, phase: 'running' };
    } else if (performance.now() - running.begunAt > TAKEN_WITHIN_MS)
      return `${serving} of ${named.length} edges took it`;
    return undefined;
  }

  async #judge(running: Running, takenAt: number): Promise<void> {
    const { bus, edges } = this.#parts;
    const { forMs, leastRequests } = running.request;
    const elapsedMs = performance.now() - takenAt;
    if (elapsedMs < EVERY_MS) return; // what came before was not the candidate's
    const windowMs = Math.round(Math.min(elapsedMs, 600_000));
    const compared = compare(
      await bus.scatter(edgeTraffic, { windowMs, top: 1 }, edges.count),
      running.canary.edges,
    );
    if (this.#running !== running || running.isPromoted) return;
    running.canary = { ...running.canary, compared };
    const worse = whatIsWorse(compared, leastRequests);
    if (worse !== undefined) return this.#end(running, { phase: 'rolled-back', reason: worse });
    if (elapsedMs < forMs) return;
    const { requests } = compared.candidate;
    if (requests >= leastRequests) return this.#promote(running);
    const reason = `${requests} requests in all that time are too few to judge by (${leastRequests})`;
    return this.#end(running, { phase: 'rolled-back', reason });
  }

  async #promote(running: Running, by?: string): Promise<void> {
    const { committer, follower } = this.#parts;
    const { state, author, message, sourceAddress } = running.request;
    const { base } = running.canary;
    running.isPromoted = true;
    const committed = await committer
      .commit<never>({
        ...{ actor: author, message, sourceAddress, expectedVersion: base.version },
        decide: (live) => ({ outcome: 'change', ops: diffStates(live, state), summary: 'canary promoted' }),
      })
      .catch((error: unknown) => {
        running.isPromoted = false; // the log cannot be written: it is tried again, or ended
        throw error;
      });
    if (committed.outcome === 'committed')
      return this.#end(running, { phase: 'promoted', version: committed.at.version, reason: by });
    const reason = `r${follower.position.version} went live meanwhile`;
    return this.#end(running, { phase: 'rolled-back', reason });
  }

  async #end(
    running: Running,
    end:
      | { phase: 'promoted'; version: number; reason: string | undefined }
      | { phase: 'rolled-back'; reason: string },
  ): Promise<void> {
    if (this.#running !== running) return;
    this.#offer([]);
    running.canary = { ...running.canary, ...end };
    this.#last = running.canary;
    this.#running = undefined;
    await tellCanary(this.#parts, end.phase, running);
    await dropCandidate(this.#parts.jetstream, running.canary.id).catch((error: unknown) =>
      this.#parts.logger.warn({ err: error }, 'candidate not removed from the bus'),
    );
  }
}
