import { isIP } from 'node:net';
import type { HandlerRun, TargetAttempt, Timeline } from '@sluice/plugins';
import type { ProxyExchange } from '../exchange.ts';
import { redactionFor } from './redaction.ts';

/** A stretch by `performance.now()`. */
interface Run {
  readonly plugin: string;
  readonly phase: HandlerRun['phase'];
  readonly from: number;
  readonly until: number;
}

/** What a request went through, noted only where a tracing plugin will tell it. */
export class RequestSteps {
  readonly routedAt = performance.now();
  readonly runs: Run[] = [];

  note(plugin: string, phase: HandlerRun['phase'], from: number): void {
    this.runs.push({ plugin, phase, from, until: performance.now() });
  }
}

const MEMO = 'edge:timeline';

/** The timeline of a finished request, made once. */
export const timelineOf = (exchange: ProxyExchange, nodeId: string): Timeline => {
  const known = exchange.memo.get(MEMO) as Timeline | undefined;
  if (known !== undefined) return known;
  const timeline = buildTimeline(exchange, nodeId);
  exchange.memo.set(MEMO, timeline);
  return timeline;
};

const buildTimeline = (exchange: ProxyExchange, nodeId: string): Timeline => {
  const { timing, startedAt, steps, attempts } = exchange;
  const now = performance.now();
  const at = (point: number): number => startedAt + (point - timing.startedAt);
  const maybe = (point: number | undefined) => (point === undefined ? undefined : at(point));
  return {
    from: startedAt,
    until: at(now),
    nodeId,
    status: exchange.status,
    peerIp: exchange.peer,
    peerPort: exchange.connection.remotePort,
    hostName: exchange.hostName,
    target: redactionFor(exchange.chain).target(exchange.rawTarget),
    routedAt: maybe(steps?.routedAt),
    forwardedAt: maybe(timing.forwardedAt),
    answeredAt: maybe(timing.answeredAt),
    handlers: (steps?.runs ?? []).map((run) => ({ ...run, from: at(run.from), until: at(run.until) })),
    attempts: attempts.map(
      ({ host, port, ip, from, until, failure }): TargetAttempt => ({
        ip: ip ?? (isIP(host) === 0 ? undefined : host),
        port,
        from: at(from),
        until: at(failure === undefined ? now : until),
        failure,
      }),
    ),
  };
};
