import type { SimulatedOutcome, SimulatedTenant, SimulationReport } from '@sluice/contracts';
import { readAdmin } from '../ask-admin.ts';
import { explainRefusal, pluginsDirOf, readConfiguration } from '../configuration.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface SimulateOptions {
  /** In seconds. */
  readonly since: number;
  readonly each?: boolean;
  readonly admin?: string;
  readonly dataDir?: string;
  readonly plugins?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 120_000; // 20,000 requests on a busy machine
const MAX_TENANTS = 20;
const MAX_GROUPS = 5;

/** Says which of the latest requests a configuration would treat otherwise. Nothing is applied. */
export const simulate = async (
  given: string | undefined,
  options: SimulateOptions,
  io: Surroundings,
): Promise<number> => {
  const source = pathOf(io, given, 'config');
  const read = await readConfiguration(source, io);
  if (!read.ok) return refuse(io, EXIT.invalid, read.problems.join('\n  '), options);
  const { text, label } = read.configuration;
  const path = `/sluice/simulate?since=${options.since}${options.each ? '&each=1' : ''}`;
  const body = JSON.stringify({ config: text });
  const answer = await readAdmin<SimulationReport>(options, io, path, {
    method: 'POST',
    body,
    timeoutMs: TIMEOUT_MS,
  });
  if (!answer.ok) {
    const plugins = pluginsDirOf(io, options.plugins);
    const isRefused = answer.exitCode === EXIT.invalid;
    const why = isRefused ? await explainRefusal(source, answer.why, io, plugins) : answer.why;
    return refuse(io, answer.exitCode, why, options);
  }
  const report = answer.value;
  if (options.json) printJson(io.out, report);
  else for (const line of linesOf(report, label, io)) printLine(io.out, line);
  return report.changes === 0 ? EXIT.ok : EXIT.changes;
};

const linesOf = (report: SimulationReport, label: string, io: Surroundings): string[] => {
  const { base, entities, requests, same, changes, unknown, warnings, tenants } = report;
  const shown = tenants.filter((tenant) => tenant.changes > 0 || tenant.doubts.length > 0);
  const left = shown.length - MAX_TENANTS;
  return [
    `${paint(io.out, 'bold', printable(label))} against ${base}: ${entities.put} entities put, ${entities.deleted} deleted`,
    `${requests} requests ${coverage(report)}`,
    `  ${paint(io.out, changes === 0 ? 'green' : 'yellow', `${changes} would change`)} · ${same} the same · ${unknown} cannot be told`,
    ...(warnings.length === 0 ? [] : [`  ${warnings.length} warnings: sluice check has them`]),
    ...shown.slice(0, MAX_TENANTS).flatMap((tenant) => tenantLines(tenant, io)),
    ...(left > 0 ? ['', `and ${left} more tenants: --json has them`] : []),
  ];
};

const coverage = ({ records }: SimulationReport): string => {
  const { since, wholeFrom, isCut, edges } = records;
  const from = `since ${timeOf(since)} from ${edges.answered} of ${edges.live} edges`;
  if (wholeFrom === null) return `${from}; some are missing`;
  if (wholeFrom === since) return `${from}: all there were`;
  const before = isCut ? 'earlier ones are left out' : 'before that refusals and a sample';
  return `${from}; all from ${timeOf(wholeFrom)} on, ${before}`;
};

const timeOf = (iso: string): string => `${iso.slice(11, 19)} UTC`;

const tenantLines = (tenant: SimulatedTenant, io: Surroundings): string[] => {
  const { groups, doubts } = tenant;
  const left = groups.length - MAX_GROUPS;
  return [
    '',
    `${paint(io.out, 'bold', printable(tenant.tenant))}  ${tenant.changes} of ${tenant.requests} requests change`,
    ...groups
      .slice(0, MAX_GROUPS)
      .flatMap(({ requests, now, would, examples: [example] }) => [
        `  ${requests} × ${example ? printable(`${example.method} ${example.path}`) : ''}`,
        `      now    ${wordsFor(now, would)}`,
        `      would  ${wordsFor(would, now)}`,
        ...(example ? [`      e.g.   ${printable(example.requestId)}`] : []),
      ]),
    ...(left > 0 ? [`  and ${left} more kinds of change: --json has them`] : []),
    ...doubts.map(({ requests, why }) => `  ${requests} × cannot be told: ${printable(why)}`),
  ];
};

/** An outcome in words; where it leads only when that is what differs. */
const wordsFor = (outcome: SimulatedOutcome, other: SimulatedOutcome): string => {
  const { route, verdict, plugin, code, status, upstream } = outcome;
  const by = plugin === undefined ? '' : ` by ${plugin}`;
  const to = upstream === undefined || upstream === other.upstream ? '' : ` to ${upstream}`;
  const said = [status ?? (verdict === 'forwarded' ? 'as the upstream answers' : ''), code ?? ''].filter(
    Boolean,
  );
  return printable(`${route ?? 'no route'}: ${verdict}${by}${to} ${said.join(' ')}`.trimEnd());
};
