import { isUtf8 } from 'node:buffer';
import { GatewayError } from '@sluice/contracts';
import type { Exchange } from './exchange.ts';
import { tenantOf } from './headers.ts';
import { doubtIn } from './json-scan.ts';
import { isJsonType } from './openapi-document.ts';
import { definePlugin, type Step } from './plugin.ts';
import type { Ports } from './ports.ts';
import {
  type GuardConfig,
  type GuardMode,
  guardConfig,
  type PreparedGuard,
  prepareGuard,
} from './prompt-guard/config.ts';
import { redact } from './prompt-guard/redact.ts';
import { type Sensitivity, scan } from './prompt-guard/scan.ts';
import { type PromptText, promptTexts } from './prompt-guard/texts.ts';
import { judgePrompt, type Verdict } from './prompt-guard/verdict.ts';
import { parseObject, printObject } from './transform-body.ts';
import { isEncoded, MAX_BODY_DEPTH, mediaTypeOf } from './validation-body.ts';

const HEADER = 'X-Prompt-Guard';
const REMOVED = '[removed by prompt-guard]';

interface Policy {
  readonly mode: GuardMode;
  readonly sensitivity: Sensitivity;
}

const policyFor = (exchange: Exchange, { config, tenants }: PreparedGuard): Policy => {
  const own = tenants.size === 0 ? undefined : tenants.get(tenantOf(exchange) ?? '');
  return { mode: own?.mode ?? config.mode, sensitivity: own?.sensitivity ?? config.sensitivity };
};

const isGuarding = (mode: GuardMode): boolean => mode === 'block' || mode === 'redact';

const refusal = (
  exchange: Exchange,
  { explain }: GuardConfig,
  message: string,
  verdict?: Verdict,
  status = 400,
): GatewayError => {
  const details = explain && verdict !== undefined ? verdict.reasons : [];
  const error = { code: 'GW_PROMPT_REFUSED', message, details, request_id: exchange.id };
  return new GatewayError('GW_PROMPT_REFUSED', { status, message, body: { error } });
};

const note = (exchange: Exchange, ports: Ports, { mode }: Policy, verdict: Verdict): void => {
  ports.count('prompts_flagged');
  ports.flag?.(exchange, {
    ...{ mode, score: verdict.score },
    families: [...new Set(verdict.reasons.map(({ family }) => family))],
    rules: verdict.reasons.map(({ rule }) => rule),
  });
  ports.log('info', 'prompt flagged', {
    mode,
    score: verdict.score,
    reasons: verdict.reasons,
    tenant: tenantOf(exchange),
    request_id: exchange.id,
    route: exchange.route?.name ?? exchange.route?.id,
  });
};

const headerOf = ({ isAttack, score, reasons }: Verdict): string =>
  isAttack
    ? `flagged; score=${score}; rules="${reasons.map(({ rule }) => rule).join(',')}"`
    : `passed; score=${score}`;

/** Takes attacks and personal data out of each text. True when something was taken out. */
const clean = (
  texts: readonly PromptText[],
  config: GuardConfig,
  sensitivity: Sensitivity,
  all: boolean,
): boolean => {
  let isChanged = false;
  for (const { text, replace, role } of texts) {
    const isOwn = config.trusted_roles.includes(role);
    const isAttack = all ? !isOwn : scan(text, sensitivity).score >= (isOwn ? 2 : 1);
    const after = isAttack ? REMOVED : redact(text, config.redact_kinds).text;
    if (after === text) continue;
    replace(after);
    isChanged = true;
  }
  return isChanged;
};

/** The body without what was found. Where no text alone is the attack, all foreign texts together are. */
const redactBody = (
  exchange: Exchange,
  body: Buffer,
  prepared: PreparedGuard,
  policy: Policy,
  verdict: Verdict,
): void => {
  const object = parseObject(body);
  if (object === undefined) return;
  const holder = Object.fromEntries(object);
  const texts = promptTexts(holder, prepared.paths);
  const foreign = texts.filter(({ role }) => !prepared.config.trusted_roles.includes(role));
  const isSpread = verdict.isAttack && !foreign.some(({ text }) => scan(text, policy.sensitivity).score >= 1);
  if (clean(texts, prepared.config, policy.sensitivity, isSpread))
    exchange.replaceBody(printObject(new Map(Object.entries(holder))));
};

const act = (
  exchange: Exchange,
  body: Buffer,
  prepared: PreparedGuard,
  policy: Policy,
  ports: Ports,
  verdict: Verdict,
): Step => {
  if (verdict.isAttack) note(exchange, ports, policy, verdict);
  switch (policy.mode) {
    case 'block':
      if (verdict.isAttack)
        return refusal(
          exchange,
          prepared.config,
          'The prompt looks like an attempt to override instructions',
          verdict,
        );
      return undefined;
    case 'redact':
      redactBody(exchange, body, prepared, policy, verdict);
      return undefined;
    case 'flag':
      exchange.toUpstream.set(HEADER, headerOf(verdict));
      exchange.toClient.set(HEADER, headerOf(verdict));
      return undefined;
    case 'shadow':
    case 'off':
      return undefined;
  }
};

/** `value` is absent where the model's side may read something else: of a name that stands twice, of what lies deep. */
type Parsed = { readonly isJson: boolean; readonly value?: unknown };

const parsed = (body: Buffer): Parsed => {
  const text = body.toString();
  // There are those who read wider characters, and over a byte order mark.
  if (!isUtf8(body) || body.includes(0) || text.startsWith('\ufeff')) return { isJson: true };
  try {
    const value: unknown = JSON.parse(text);
    return doubtIn(text, MAX_BODY_DEPTH) === undefined ? { isJson: true, value } : { isJson: true };
  } catch {
    return { isJson: false };
  }
};

const saysJson = ({ fromClient }: Exchange): boolean =>
  isJsonType(mediaTypeOf(fromClient.get('content-type')));

/** What may stand before a JSON text: blanks, byte order marks, and the zeros of wider characters. */
const BEFORE_JSON: ReadonlySet<number> = new Set([
  0x00, 0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff,
]);
const BRACE = 0x7b;
const BRACKET = 0x5b;

/** Servers of models read JSON whatever its label says: what begins as JSON is judged as such, all else streams. */
const beginsAsJson = async (exchange: Exchange): Promise<boolean> => {
  const start = await exchange.startOfBody();
  const first = start.find((byte) => !BEFORE_JSON.has(byte));
  return first === BRACE || first === BRACKET || (first === undefined && start.length > 0);
};

const judge = async (
  exchange: Exchange,
  prepared: PreparedGuard,
  policy: Policy,
  ports: Ports,
): Promise<Step> => {
  const { config } = prepared;
  const body = await exchange.readBody(config.max_body_bytes);
  if (body === undefined)
    return isGuarding(policy.mode)
      ? refusal(exchange, config, `The body is longer than ${config.max_body_bytes} bytes`, undefined, 413)
      : undefined;
  if (body.length === 0) return undefined;
  const request = parsed(body);
  if (!request.isJson && !saysJson(exchange)) return undefined;
  if (request.value === undefined)
    return isGuarding(policy.mode)
      ? refusal(exchange, config, 'The body is no JSON, or JSON that can be read in two ways')
      : undefined;
  const texts = promptTexts(request.value, prepared.paths);
  const hasPatterns = prepared.allow.length > 0 || prepared.deny.length > 0;
  if (texts.length === 0 && !hasPatterns) return undefined;
  return act(exchange, body, prepared, policy, ports, judgePrompt(texts, prepared, policy.sensitivity));
};

/** Finds attempts to override a language model's instructions, in this process and with reasons. */
export const promptGuard = definePlugin({
  name: 'prompt-guard',
  priority: 770,
  reads: { always: [HEADER.toLowerCase()] },
  summary: 'Finds prompt injection by rules that can be read: refuses, cleans or marks such prompts.',
  config: guardConfig,
  prepare: prepareGuard,
  access: (exchange, prepared, ports) => {
    const policy = policyFor(exchange, prepared);
    if (policy.mode === 'off') return undefined;
    exchange.toUpstream.delete(HEADER); // only this plugin says it
    if (exchange.service?.protocol.startsWith('grpc')) return undefined; // no model is asked so
    if (!saysJson(exchange))
      return beginsAsJson(exchange).then((isDoubtful) =>
        isDoubtful ? judge(exchange, prepared, policy, ports) : undefined,
      );
    if (isEncoded(exchange.fromClient.get('content-encoding')))
      return isGuarding(policy.mode)
        ? refusal(exchange, prepared.config, 'A packed body is not accepted here', undefined, 415)
        : undefined;
    return judge(exchange, prepared, policy, ports);
  },
});
