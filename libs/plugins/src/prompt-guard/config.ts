import type { z } from 'zod';
import { between, choice, flag, listOf, mapOf, pattern, record, setOf, text, unset } from '../fields.ts';
import { compileSearchRegex } from '../linear-regex.ts';
import { REDACTED_KINDS } from './redact.ts';
import { vocabulary } from './vocabulary.ts';

export const GUARD_MODES = ['off', 'shadow', 'flag', 'redact', 'block'] as const;
export type GuardMode = (typeof GUARD_MODES)[number];

const MAX_PATTERNS = 20;
const patterns = () =>
  unset(
    listOf(pattern().refine((source) => source.length <= 500, 'length must be at most 500')).max(
      MAX_PATTERNS,
      `length must be at most ${MAX_PATTERNS}`,
    ),
  );
const mode = () => choice(GUARD_MODES);
const sensitivity = () => choice(['balanced', 'strict']);

/** The configuration of prompt-guard. */
export const guardConfig = record({
  mode: mode()
    .default('block')
    .describe('off; shadow: count and log; flag: say so in headers; redact: take it out; block: refuse.'),
  sensitivity: sensitivity()
    .default('balanced')
    .describe('strict finds more and is more often wrong about people who write about attacks.'),
  tenants: mapOf(text(), record({ mode: unset(mode()), sensitivity: unset(sensitivity()) }))
    .default({})
    .describe('Other modes and sensitivities for some tenants.'),
  allow_patterns: patterns().describe('A prompt must match one of these.'),
  deny_patterns: patterns().describe('A prompt must match none of these.'),
  trusted_roles: setOf(text())
    .default(['system', 'developer'])
    .describe('Roles whose texts count half: applications write their own rules there.'),
  json_paths: listOf(text())
    .default([])
    .describe('More places with text, as data.notes.*.text; messages, prompt, input and contents are known.'),
  redact_kinds: setOf(choice(REDACTED_KINDS))
    .default([...REDACTED_KINDS])
    .describe('What mode redact takes out beside attacks. The log never shows any of them.'),
  max_body_bytes: between(1, 8 * 1024 * 1024)
    .default(256 * 1024)
    .describe('Larger bodies are refused in mode block and redact, else not looked at, in bytes.'),
  explain: flag().default(false).describe('Tell the client which rules fired.'),
});
export type GuardConfig = z.output<typeof guardConfig>;

const compiled = (sources: readonly string[] | null): RegExp[] => (sources ?? []).map(compileSearchRegex);

/** A configuration made ready. */
export const prepareGuard = (config: GuardConfig) => {
  vocabulary(); // the first prompt should not wait for it
  return {
    config,
    allow: compiled(config.allow_patterns),
    deny: compiled(config.deny_patterns),
    paths: config.json_paths.map((path) => path.split('.')),
    tenants: new Map(Object.entries(config.tenants)),
  };
};
export type PreparedGuard = ReturnType<typeof prepareGuard>;
