import type { DecisionRecord, PluginVerdict } from '@sluice/contracts';
import { instanceFor, type PluginInstance } from '@sluice/routing';
import type { Attempted } from '../exchange.ts';
import { CLIENT_CLOSED } from '../exchange.ts';
import { askedOf } from './asked-facts.ts';
import type { DecisionSlot } from './decision-slot.ts';

const MAX_PATH_CHARS = 1024;
const MAX_TEXT_CHARS = 1024;
const MAX_FACTS = 16;

/** What a slot says, in the form that other processes and people read. */
export const recordOf = (slot: DecisionSlot, instance: string): DecisionRecord => ({
  requestId: slot.id,
  traceId: slot.traceId,
  ...given('correlationId', textOf(slot.correlationId)),
  instance,
  seq: slot.seq,
  at: slot.at,
  method: slot.method,
  path: slot.path.slice(0, MAX_PATH_CHARS),
  ...given('host', slot.host === '' ? undefined : slot.host),
  status: slot.status,
  outcome: outcomeOf(slot),
  version: slot.version,
  ...given('tenant', tenantOf(slot)),
  ...given('consumer', slot.identity?.consumer?.username ?? slot.identity?.consumer?.id),
  ...given('route', slot.route && { id: slot.route.id, ...given('name', slot.route.name ?? undefined) }),
  ...given('service', serviceOf(slot)),
  ...given('refusal', refusalOf(slot)),
  plugins: verdictsOf(slot),
  ...given('upstream', upstreamOf(slot)),
  timing: {
    totalUs: us(slot.totalMs),
    ...given('gatewayUs', slot.gatewayMs < 0 ? undefined : us(slot.gatewayMs)),
    ...given('upstreamUs', slot.upstreamMs < 0 ? undefined : us(slot.upstreamMs)),
  },
  bytes: { in: slot.bytesIn, out: slot.bytesOut },
  degraded: degradedOf(slot),
  ...given(
    'asked',
    askedOf(slot.asked, slot.chain, {
      isIdentified: slot.identity !== undefined,
      isTenantVerified: slot.identity?.tenantId !== undefined,
    }),
  ),
});

/** Whose request it was: as verified, else as claimed. */
export const tenantOf = ({ identity, claimedTenant }: DecisionSlot): string | undefined =>
  identity?.tenantId ?? claimedTenant;

type Given<K extends string, V> = { [key in K]?: V };

/** A field that is left out where it has no value. */
const given = <K extends string, V>(name: K, value: V | undefined): Given<K, V> =>
  (value === undefined ? {} : { [name]: value }) as Given<K, V>;

const us = (ms: number): number => Math.max(0, Math.round(ms * 1000));

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, MAX_TEXT_CHARS) : undefined;

const outcomeOf = ({ code, isAnswered, status }: DecisionSlot): DecisionRecord['outcome'] => {
  if (code !== undefined) return 'refused';
  if (isAnswered) return 'answered';
  return status === CLIENT_CLOSED ? 'abandoned' : 'forwarded';
};

const serviceOf = ({ service }: DecisionSlot): DecisionRecord['service'] =>
  service && {
    id: service.id,
    ...given('name', service.name ?? undefined),
    connectMs: service.connect_timeout,
    readMs: service.read_timeout,
    writeMs: service.write_timeout,
  };

type Facts = NonNullable<NonNullable<DecisionRecord['refusal']>['facts']>;

const refusalOf = (slot: DecisionSlot): DecisionRecord['refusal'] => {
  const { code, message, facts, authReason } = slot;
  if (code === undefined) return undefined;
  const { error } = (slot.body ?? {}) as { error?: { code?: unknown; details?: unknown } };
  const all = { ...scalarsOf(error?.details), ...scalarsOf(facts) };
  const isByAuth = slot.refusedBy !== undefined && slot.refusedBy === slot.authBy;
  const reason = textOf(error?.code) ?? (isByAuth ? authReason : undefined);
  return {
    ...{ code, message: saidOf(slot.body) ?? message.slice(0, MAX_TEXT_CHARS) },
    ...given('reason', reason),
    ...given('facts', Object.keys(all).length === 0 ? undefined : all),
  };
};

/** The words that the client got, where the body is ours to compose: `{"message": …}` or Kong's map of claims. */
const saidOf = (body: unknown): string | undefined => {
  if (typeof body !== 'object' || body === null || Buffer.isBuffer(body)) return undefined;
  const { message, error } = body as { message?: unknown; error?: { message?: unknown } };
  const claims = Object.entries(scalarsOf(body)).map(([name, problem]) => `${name}: ${problem}`);
  return textOf(message ?? error?.message) ?? (claims.length === 0 ? undefined : textOf(claims.join(', ')));
};

const scalarsOf = (value: unknown): Facts =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {})
      .filter(([, one]) => ['string', 'number', 'boolean'].includes(typeof one))
      .map(([name, one]) => [name, typeof one === 'string' ? one.slice(0, MAX_TEXT_CHARS) : one])
      .slice(0, MAX_FACTS),
  ) as Facts;

/** A chain is run in order; what stands behind the plugin that refused was not reached. */
const verdictsOf = (slot: DecisionSlot): PluginVerdict[] => {
  const verdicts: PluginVerdict[] = [];
  let isOver = false;
  for (const step of slot.chain?.steps ?? []) {
    const instance = instanceFor(step, slot.identity?.consumer?.id);
    if (instance?.plugin.access === undefined) continue;
    const isRefuser: boolean = !isOver && instance === slot.refusedBy;
    verdicts.push({
      ...{ plugin: instance.plugin.name, id: instance.entity.id },
      verdict: isRefuser ? (slot.isAnswered ? 'passed' : 'refused') : isOver ? 'not_reached' : 'passed',
      ...(isOver ? {} : figuresOf(slot, instance)),
      ...shadowOf(slot, instance),
      ...given('flagged', slot.flagged?.get(instance.entity.id)),
      ...(isRefuser && slot.isAnswered ? { reason: 'answered' } : {}),
    });
    isOver ||= isRefuser;
  }
  // Refused before its route's chain was run: of those that apply to every request none was reached.
  if (slot.route === undefined && slot.code !== undefined)
    return verdicts.map(({ plugin, id }) => ({ plugin, id, verdict: 'not_reached' }));
  return verdicts;
};

/** What an instance in `mode: shadow` would have answered. */
const shadowOf = ({ shadowed }: DecisionSlot, { entity }: PluginInstance): Partial<PluginVerdict> => {
  const code = shadowed?.get(entity.id);
  return code === undefined ? {} : { reason: `shadow: ${code}` };
};

const figuresOf = (slot: DecisionSlot, instance: PluginInstance): Partial<PluginVerdict> => {
  const run = slot.steps?.runs.find(
    ({ plugin, phase }) => phase === 'access' && plugin === instance.plugin.name,
  );
  const took = (askedMs: number) => given('us', askedMs > 0 ? us(askedMs) : run && us(run.until - run.from));
  if (instance === slot.authBy)
    return {
      ...given('source', slot.authSource),
      ...given('reason', slot.authReason),
      ...took(slot.authMs),
    };
  if (instance === slot.limitBy) return { ...budgetOf(slot), ...took(slot.limitMs) };
  if (instance === slot.quotaBy) return { ...quotaOf(slot), ...took(slot.quotaMs) };
  return took(0);
};

const budgetOf = (slot: DecisionSlot): Partial<PluginVerdict> => ({
  ...given('source', slot.limitSource),
  bucket: slot.limitKey.slice(0, MAX_TEXT_CHARS),
  ...given(
    'windows',
    slot.windowCount === 0
      ? undefined
      : slot.windows.slice(0, slot.windowCount).map((window) => ({
          ...window,
          remaining: Math.max(0, window.remaining),
          resetMs: Math.max(0, Math.round(window.resetMs)),
        })),
  ),
});

const quotaOf = ({ quotaKey, quotaState, quotaSource }: DecisionSlot): Partial<PluginVerdict> => ({
  bucket: quotaKey.slice(0, MAX_TEXT_CHARS),
  ...given('source', quotaSource),
  ...(quotaState === undefined ? { reason: 'unreadable' } : {}),
  ...(quotaState === null ? { reason: 'no_quota' } : {}),
  ...(quotaState
    ? {
        quota: {
          ...{ limit: quotaState.limit, used: quotaState.used, stale: quotaState.stale },
          ...given('resetAt', quotaState.resetAt ?? undefined),
        },
      }
    : {}),
});

const upstreamOf = (slot: DecisionSlot): DecisionRecord['upstream'] => {
  const { target, tries, upstreamStatus, attempts } = slot;
  if (target === undefined) return undefined;
  return {
    ...{ target, tries },
    ...given('status', upstreamStatus === 0 ? undefined : upstreamStatus),
    ...given('attempts', attempts?.map(attemptOf)),
  };
};

const attemptOf = ({ host, port, from, until, failure }: Attempted) => ({
  target: `${host}:${port}`,
  ...given('failure', failure),
  ...given('us', failure === undefined ? undefined : us(until - from)),
});

const degradedOf = (slot: DecisionSlot): DecisionRecord['degraded'] => [
  ...(slot.isAuthDegraded ? (['auth'] as const) : []),
  ...(slot.limitSource === 'local' ? (['ratelimit'] as const) : []),
  ...(slot.quotaSource !== undefined && slot.quotaState === undefined ? (['quota'] as const) : []),
];
