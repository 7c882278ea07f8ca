import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminAnswer, type AdminOptions, readAdmin } from '../ask-admin.ts';
import { explainRefusal, pluginsDirOf, readConfiguration } from '../configuration.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface CanaryOptions extends AdminOptions {
  /** Above 0 and below 1. */
  readonly share: number;
  /** Seconds. */
  readonly for: number;
  readonly minRequests: number;
  readonly message?: string;
  readonly plugins?: string;
  readonly abort?: boolean;
  readonly promote?: boolean;
}

interface Side {
  readonly edges: number;
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  readonly p99Us: number;
}
interface Canary {
  readonly id: string;
  readonly edges: readonly string[];
  readonly phase: 'starting' | 'running' | 'promoted' | 'rolled-back';
  readonly reason: string | null;
  readonly version: number | null;
  readonly candidate: Side | null;
  readonly others: Side | null;
}
type Answer = AdminAnswer<{ canary: Canary | null }>;

const LOOK_EVERY_MS = 1000;

/** Lets some edges try a configuration, and says what became of it: 0 it is live, 1 it was dropped. */
export const canary = async (
  given: string | undefined,
  options: CanaryOptions,
  io: Surroundings,
): Promise<number> => {
  if (options.abort === true) return decide('DELETE', '/sluice/canary', options, io);
  if (options.promote === true) return decide('POST', '/sluice/canary/promote', options, io);
  const source = pathOf(io, given, 'config');
  const read = await readConfiguration(source, io);
  if (!read.ok) return refuse(io, EXIT.invalid, read.problems.join('\n  '), options);
  const { share, for: forSeconds, minRequests: leastRequests, message } = options;
  const { text: config } = read.configuration;
  const body = JSON.stringify({ config, share, forSeconds, leastRequests, message });
  const begun: Answer = await readAdmin(options, io, '/sluice/canary', { method: 'POST', body });
  if (!begun.ok) {
    const isInvalid = begun.exitCode === EXIT.invalid;
    const plugins = pluginsDirOf(io, options.plugins);
    const why = isInvalid ? await explainRefusal(source, begun.why, io, plugins) : begun.why;
    return refuse(io, begun.exitCode, why, options);
  }
  return untilOver(begun.value.canary, options, io);
};

/** Ends the one that runs: 0 it is as was asked. */
const decide = async (
  method: 'DELETE' | 'POST',
  path: string,
  options: CanaryOptions,
  io: Surroundings,
): Promise<number> => {
  const answer: Answer = await readAdmin(options, io, path, { method });
  if (!answer.ok) return refuse(io, answer.exitCode, answer.why, options);
  const { canary: over } = answer.value;
  if (over === null) return EXIT.ok;
  const code = ended(over, options, io);
  return method === 'DELETE' ? EXIT.ok : code;
};

const untilOver = async (begun: Canary | null, options: CanaryOptions, io: Surroundings): Promise<number> => {
  if (begun !== null) progress(io, options, `on ${begun.edges.join(', ')}`);
  for (;;) {
    const answer: Answer = await readAdmin(options, io, '/sluice/canary');
    if (!answer.ok) return refuse(io, answer.exitCode, answer.why, options);
    const now = answer.value.canary;
    if (now === null || now.id !== begun?.id)
      return refuse(io, EXIT.environment, 'the registry that tried it is gone: edges went back', options);
    if (now.phase === 'promoted' || now.phase === 'rolled-back') return ended(now, options, io);
    if (now.candidate !== null) progress(io, options, comparison(now));
    await sleep(LOOK_EVERY_MS);
  }
};

const progress = (io: Surroundings, { json }: CanaryOptions, line: string): void => {
  if (json !== true) printLine(io.err, `… ${printable(line)}`);
};

const ended = (canary: Canary, options: CanaryOptions, io: Surroundings): number => {
  const isLive = canary.phase === 'promoted';
  if (options.json) printJson(io.out, canary);
  else if (isLive)
    printLine(
      io.out,
      `${paint(io.out, 'green', '✔')} promoted: live as r${canary.version} · ${comparison(canary)}`,
    );
  else printLine(io.err, `${paint(io.err, 'red', '✖')} rolled back: ${printable(canary.reason ?? '')}`);
  return isLive ? EXIT.ok : EXIT.invalid;
};

const comparison = ({ candidate, others }: Canary): string =>
  `candidate ${sideOf(candidate)} · others ${sideOf(others)}`;

const sideOf = (side: Side | null): string =>
  side === null
    ? 'nothing yet'
    : `${side.requests} requests, ${side.failed} failed, ${side.refused} refused, p99 ${Math.round(side.p99Us / 1000)} ms`;
