import type { ConfigOp, DecisionRecord, Kind, PluginVerdict } from '@sluice/contracts';
import { type ConfigState, diffStates, sameButTimes } from '@sluice/gateway-config';
import type { Identity } from '@sluice/plugins';
import { type ChainStep, instanceFor, type PluginInstance } from '@sluice/routing';
import type { AskedRecord } from './recorded-exchange.ts';
import { NotRecorded } from './recorded-headers.ts';
import type { Side } from './side.ts';

/** Who may call, and as whom. */
const CREDENTIAL_KINDS: ReadonlySet<Kind> = new Set([
  ...(['consumers', 'acls', 'key_sets', 'keys', 'keyauth_credentials', 'basicauth_credentials'] as const),
  ...(['hmacauth_credentials', 'jwt_secrets', 'oauth2_credentials'] as const),
]);
/** What is not filed under one consumer. */
const SHARED_KINDS: ReadonlySet<Kind> = new Set(['issuers', 'tenants', 'vaults', 'key_sets', 'keys']);

/** Whose credentials and groups differ between two configurations. */
export interface CallerChanges {
  readonly any: boolean;
  /** Of everybody, as far as can be told. */
  readonly shared: boolean;
  /** Ids of consumers. */
  readonly consumers: ReadonlySet<string>;
}

export const callerChanges = (from: ConfigState, to: ConfigState): CallerChanges => {
  const ops = diffStates(from, to).filter(({ kind }) => CREDENTIAL_KINDS.has(kind) || SHARED_KINDS.has(kind));
  const consumers = new Set(ops.flatMap((op) => [consumerIn(from, op), consumerIn(to, op)]));
  consumers.delete(undefined);
  return {
    any: ops.length > 0,
    shared: ops.some(({ kind }) => SHARED_KINDS.has(kind)),
    consumers: consumers as ReadonlySet<string>,
  };
};

const consumerIn = (state: ConfigState, { kind, id }: ConfigOp): string | undefined => {
  if (kind === 'consumers') return id;
  const { consumer } = (state.get(kind, id) ?? {}) as { consumer?: { id: string } | null };
  return consumer?.id;
};

/** What a recorded request says about policies of another configuration: the verdicts of those that are the same. */
export class Evidence {
  readonly record: AskedRecord;
  readonly served: Side;
  readonly #tried: Side;
  readonly #callers: CallerChanges;
  readonly #steps: readonly ChainStep[];

  /** @param served the configuration that served it. @param tried the one that it is tried on. */
  constructor(record: AskedRecord, served: Side, tried: Side, callers: CallerChanges) {
    this.record = record;
    this.served = served;
    this.#tried = tried;
    this.#callers = callers;
    const route = record.route && served.state.get('routes', record.route.id);
    this.#steps = route === undefined ? [] : served.chainOf(route).steps;
  }

  /** The instance of a plugin that served the request. */
  servedBy(plugin: string): PluginInstance | undefined {
    const step = this.#steps.find((one) => nameOf(one) === plugin);
    return step && instanceFor(step, this.#consumerId());
  }

  /** What the record says of a plugin, if it came to that. */
  verdictOf(plugin: string): PluginVerdict | undefined {
    const served = this.servedBy(plugin);
    return this.record.plugins.find(
      ({ plugin: name, id, verdict }) =>
        name === plugin && id === served?.entity.id && verdict !== 'not_reached',
    );
  }

  /** True where an instance decides as the one that served the request did. */
  isUnchanged(instance: PluginInstance): boolean {
    const served = this.servedBy(instance.plugin.name);
    if (served === undefined || !isSamePolicy(served, instance)) return false;
    return !isAboutCallers(instance) || this.#isSameCaller();
  }

  /**
   * Who the request was taken for, as the tried configuration knows them.
   * @throws NotRecorded when somebody asks for more than the record has.
   */
  identity(by: PluginInstance): Identity | undefined {
    const { record } = this;
    if (!record.asked.isIdentified) return undefined;
    const known = record.consumer === undefined ? undefined : this.#tried.consumer(record.consumer);
    const anonymous = by.entity.config.anonymous;
    const isAnonymous =
      typeof anonymous === 'string' && (anonymous === known?.id || anonymous === known?.username);
    const consumer = known && {
      ...{ id: known.id, username: known.username ?? undefined },
      customId: known.custom_id ?? undefined,
    };
    return identityOf(record, consumer, {
      isAnonymous,
      groups: consumer && this.#tried.groupsOf(consumer.id),
    });
  }

  #consumerId(): string | undefined {
    const { consumer } = this.record;
    return consumer === undefined ? undefined : this.served.consumer(consumer)?.id;
  }

  #isSameCaller(): boolean {
    if (!this.#callers.any) return true;
    const consumer = this.#consumerId();
    return !this.#callers.shared && consumer !== undefined && !this.#callers.consumers.has(consumer);
  }
}

const nameOf = ({ anyone, byConsumer }: ChainStep): string | undefined =>
  (anyone ?? byConsumer?.values().next().value)?.plugin.name;

const isAboutCallers = ({ plugin }: PluginInstance): boolean =>
  plugin.authenticates === true || plugin.name === 'acl';

/** Same code, same configuration; and for one that counts, the same counters. */
export const isSamePolicy = (a: PluginInstance, b: PluginInstance): boolean =>
  a.plugin === b.plugin &&
  (a.entity.mode ?? 'enforce') === (b.entity.mode ?? 'enforce') &&
  sameButTimes(a.entity.config, b.entity.config) &&
  (a.plugin.authenticates === true || isSameScope(a, b));

export const isSameScope = ({ entity: a }: PluginInstance, { entity: b }: PluginInstance): boolean =>
  a.route?.id === b.route?.id && a.service?.id === b.service?.id;

interface Known {
  readonly isAnonymous: boolean;
  readonly groups: readonly string[] | undefined;
}

const identityOf = (
  record: DecisionRecord & AskedRecord,
  consumer: Identity['consumer'],
  { isAnonymous, groups }: Known,
): Identity => {
  const unknown = (what: string) => ({
    enumerable: false,
    get: (): never => {
      throw new NotRecorded(what);
    },
  });
  const credential = Object.defineProperties(
    {},
    { id: unknown('which credential it was'), identifier: unknown('which credential it was') },
  ) as NonNullable<Identity['credential']>;
  const identity = {
    consumer,
    credential: isAnonymous ? undefined : credential,
    tenantId: record.asked.isTenantVerified ? record.tenant : undefined,
    groups,
  };
  return Object.defineProperties(identity, {
    platformId: unknown('the platform in its credential'),
    userId: unknown('the user in its credential'),
    claims: unknown('the claims of its token'),
  }) as unknown as Identity;
};
