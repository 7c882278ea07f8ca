import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What one step costs a server, in µs of CPU, as `npm run bench -- scale --measure` found it. */
export const ServerFigures = z.strictObject({
  on: z.string(),
  /** nats-server, for one question with one check in it and its answer; and for a check among 16 in a message. */
  natsQuestionUs: z.number().positive(),
  natsBatchedCheckUs: z.number().positive(),
  /** redis-server, for a check of three windows; for a lease and its return. */
  redisCheckUs: z.number().positive(),
  redisLeaseUs: z.number().positive(),
  /** What a question and its answer put on the wire, with NATS's own lines, in bytes. */
  questionBytes: z.number().positive(),
});
export type ServerFigures = z.infer<typeof ServerFigures>;

/** The same for processes of ours: from the tables of docs/performance.md, which `npm run bench -- chain` writes. */
interface ProcessFigures {
  /** The edge alone, for a request through the full chain of config/kong.yml. */
  readonly edgeLeasedUs: number;
  readonly edgeExactUs: number;
  readonly edgePlainUs: number;
  /** A token that the edge has no verdict on: edge and auth, without NATS. */
  readonly newTokenUs: number;
  /** ratelimit, for a check or a lease. */
  readonly limiterUs: number;
}
export type Figures = ServerFigures & ProcessFigures;

export const FIGURES_FILE = join(import.meta.dirname, 'figures.json');
const PERFORMANCE = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');
const CPU = 4;
const MEASURED = 2;

/** A cell of the first row that begins so. */
const figureIn = (page: string, row: string, column: number): number => {
  const line = page.split('\n').find((text) => text.startsWith(`| ${row} `));
  const cell = Number(line?.split('|')[column + 1]);
  if (!Number.isFinite(cell)) throw new Error(`docs/performance.md: no figure ${column} in "${row}"`);
  return cell;
};

/** What the page says that a request costs, taken apart by who does what for it. */
const processFigures = (page: string, servers: ServerFigures): ProcessFigures => {
  const cpu = (row: string) => figureIn(page, row, CPU);
  const bareUs = cpu('http-proxy-3, bare');
  const inBare = (row: string) => figureIn(page, row, MEASURED) * bareUs;
  const { natsQuestionUs, redisCheckUs } = servers;
  return {
    edgePlainUs: cpu('plain route, log, records'),
    edgeLeasedUs: cpu('full chain, log, records') - inBare('full chain, all but the edge'),
    edgeExactUs: inBare('exact limits, the edge'),
    newTokenUs:
      cpu('+ jwt RS256, another token each time') - cpu('+ jwt RS256, verdict cached') - natsQuestionUs,
    limiterUs: Math.max(1, inBare('exact limits, the others') - natsQuestionUs - redisCheckUs),
  };
};

/** Everything that the model computes with, as the repository has it now. */
export const readFigures = (page = readFileSync(PERFORMANCE, 'utf8')): Figures => {
  const servers = ServerFigures.parse(JSON.parse(readFileSync(FIGURES_FILE, 'utf8')));
  return { ...servers, ...processFigures(page, servers) };
};
