import type { PreparedGuard } from './config.ts';
import { redact } from './redact.ts';
import type { Family } from './rules.ts';
import { type Hit, type Sensitivity, scan } from './scan.ts';
import type { PromptText } from './texts.ts';

/** A rule that fired, fit to be shown: the excerpt holds nothing personal. */
export interface Reason {
  readonly rule: string;
  readonly family: Family | 'pattern';
  readonly weight: number;
  readonly excerpt: string;
}

/** What prompt-guard thinks of a request. */
export interface Verdict {
  readonly isAttack: boolean;
  /** 1 and more is an attack. */
  readonly score: number;
  /** The heaviest first, at most `MAX_REASONS`. */
  readonly reasons: readonly Reason[];
}

const MAX_REASONS = 10;
const TRUST = 0.5;

const reasonOf = ({ rule, family, weight, excerpt }: Hit): Reason => ({
  ...{ rule, family, weight },
  excerpt: redact(excerpt).text,
});

/** The heaviest hit of each rule. */
const reasonsOf = (hits: readonly Hit[]): Reason[] => {
  const byRule = new Map<string, Hit>();
  for (const hit of hits) {
    const before = byRule.get(hit.rule);
    if (before === undefined || before.weight < hit.weight) byRule.set(hit.rule, hit);
  }
  const sorted = [...byRule.values()].sort((a, b) => b.weight - a.weight);
  return sorted.slice(0, MAX_REASONS).map(reasonOf);
};

const byPattern = (rule: string): Verdict => ({
  isAttack: true,
  score: 1,
  reasons: [{ rule, family: 'pattern', weight: 1, excerpt: '' }],
});

/** Judges the texts of a request, all turns together: an order may be spread over several. */
export const judgePrompt = (
  texts: readonly PromptText[],
  { config, allow, deny }: PreparedGuard,
  sensitivity: Sensitivity,
): Verdict => {
  const isTrusted = ({ role }: PromptText): boolean => config.trusted_roles.includes(role);
  const foreign = texts
    .filter((one) => !isTrusted(one))
    .map(({ text }) => text)
    .join('\n');
  if (deny.some((regex) => regex.test(foreign))) return byPattern('deny_patterns');
  if (allow.length > 0 && !allow.some((regex) => regex.test(foreign))) return byPattern('allow_patterns');
  const found = scan(foreign, sensitivity);
  const trusted = texts
    .filter(isTrusted)
    .map(({ text }) => text)
    .join('\n');
  const own = trusted === '' ? { score: 0, hits: [] } : scan(trusted, sensitivity);
  const score = Math.max(found.score, own.score * TRUST);
  const hits = own.score * TRUST > found.score ? own.hits : found.hits;
  return { isAttack: score >= 1, score: Math.round(score * 100) / 100, reasons: reasonsOf(hits) };
};
