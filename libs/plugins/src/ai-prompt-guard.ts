import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import {
  checked,
  choice,
  type Finding,
  flag,
  integer,
  listOf,
  needs,
  pattern,
  record,
  unset,
  WHOLE,
} from './fields.ts';
import { compileSearchRegex } from './linear-regex.ts';
import { definePlugin } from './plugin.ts';
import { PROMPT_FORMATS, type PromptMessage, readPrompt } from './prompt-text.ts';

const MAX_PATTERNS = 10;
const MAX_PATTERN_CHARS = 500;

const patterns = () =>
  unset(
    listOf(
      pattern().refine(
        (source) => source.length <= MAX_PATTERN_CHARS,
        `length must be at most ${MAX_PATTERN_CHARS}`,
      ),
    ).max(MAX_PATTERNS, `length must be at most ${MAX_PATTERNS}`),
  );

const Config = record({
  allow_patterns: patterns().describe('A prompt must match one of these.'),
  deny_patterns: patterns().describe('A prompt must match none of these.'),
  allow_all_conversation_history: flag()
    .default(false)
    .describe("Look only at the newest of the user's messages."),
  match_all_roles: flag().default(false).describe('Look at the messages of every role, not only user.'),
  max_request_body_size: integer()
    .positive('value must be greater than 0')
    .default(8192)
    .describe('Larger bodies are refused, in bytes.'),
  llm_format: choice(PROMPT_FORMATS).default('openai').describe('Format of the request.'),
});
type GuardConfig = z.output<typeof Config>;

const findings = function* (config: GuardConfig): Generator<Finding> {
  const message =
    "at least one of these fields must be non-empty: 'config.allow_patterns', 'config.deny_patterns'";
  const of = ['allow_patterns', 'deny_patterns'];
  if (!config.allow_patterns?.length && !config.deny_patterns?.length) yield { path: WHOLE, message, of };
  if (config.match_all_roles && config.allow_all_conversation_history)
    yield* needs('match_all_roles', ['allow_all_conversation_history'], 'value must be false');
};

const prepare = (config: GuardConfig) => ({
  config,
  allow: (config.allow_patterns ?? []).map(compileSearchRegex),
  deny: (config.deny_patterns ?? []).map(compileSearchRegex),
});
type Prepared = ReturnType<typeof prepare>;

/** What the patterns look at: newest first, as in Kong, so that `^` stands at the newest message's start. */
const examined = (messages: readonly PromptMessage[], config: GuardConfig): string | undefined => {
  const own = messages.filter(({ role }) => config.match_all_roles || role === 'user').reverse();
  const seen = config.allow_all_conversation_history ? own.slice(0, 1) : own;
  return seen.length === 0 ? undefined : seen.map(({ text }) => text).join(' ');
};

/** Why a body may not pass; undefined when it may. Never a part of the prompt: this is logged. */
const objectionTo = (body: Buffer | undefined, { config, allow, deny }: Prepared): string | undefined => {
  if (body === undefined) return `body larger than ${config.max_request_body_size} bytes`;
  const messages = readPrompt(body, config.llm_format);
  const prompt = messages && examined(messages, config);
  if (prompt === undefined) return 'no messages and no prompt in the body';
  if (deny.some((regex) => regex.test(prompt))) return 'prompt matches a pattern of deny_patterns';
  if (allow.length > 0 && !allow.some((regex) => regex.test(prompt)))
    return 'prompt matches no pattern of allow_patterns';
  return undefined;
};

/** Kong's `ai-prompt-guard`: which prompts may reach a language model. */
export const aiPromptGuard = definePlugin({
  name: 'ai-prompt-guard',
  priority: 771,
  reads: {},
  summary: 'Refuses prompts for language models by patterns.',
  config: checked(Config, findings),
  prepare,
  access: async (exchange, prepared, ports) => {
    const body = await exchange.readBody(prepared.config.max_request_body_size);
    const objection = objectionTo(body, prepared);
    if (objection === undefined) return undefined;
    ports.log('info', 'prompt refused', { reason: objection, request_id: exchange.id });
    return new GatewayError('GW_PROMPT_REFUSED', { body: { error: { message: 'bad request' } } });
  },
});
