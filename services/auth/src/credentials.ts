import type { ConfigOp, Kind } from '@sluice/contracts';
import {
  ConfigState,
  type Consumer,
  type Environment,
  type Issuer,
  type JwtSecret,
  type PluginEntity,
  resolveReference,
  vaultPrefixesOf,
} from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';
import { BindingClaims } from './binding-claims.ts';
import { ConsumerCredentials } from './consumer-credentials.ts';
import type { KeySource } from './fetch-keys.ts';

/** An issuer whose references are resolved: this process can verify its tokens. */
export interface TrustedIssuer {
  readonly entity: Issuer;
  /** The `iss` its tokens carry. */
  readonly url: string;
  readonly keySource: KeySource;
}

/** Kinds that are looked at here and in `ConsumerCredentials`. */
export const CREDENTIAL_KINDS: ReadonlySet<Kind> = new Set([
  'consumers',
  'keyauth_credentials',
  'basicauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'acls',
  'issuers',
  'plugins',
  'vaults',
]);

/**
 * Finds in the configuration what a token names: consumers' keys and issuers. Follows the commits, so that a change
 * costs only what it touches.
 */
export class Credentials {
  /** Keys, passwords, secrets and groups of consumers. */
  readonly ofConsumers = new ConsumerCredentials();
  readonly #environment: Environment;
  readonly #logger: Logger;
  #state = new ConfigState();
  readonly #secretsByKey = new Map<string, JwtSecret>();
  readonly #secretsById = new Map<string, JwtSecret>();
  /** Secrets whose keys are fetched, by id. */
  readonly #fetched = new Map<string, JwtSecret>();
  #keySources: readonly KeySource[] = [];
  #issuersByUrl = new Map<string, TrustedIssuer>();
  /** Names of the issuers whose references do not resolve. */
  #unusable: readonly string[] = [];
  readonly #warned = new Set<string>();
  readonly #bindings = new BindingClaims();

  constructor(environment: Environment, logger: Logger) {
    this.#environment = environment;
    this.#logger = logger;
  }

  /** Takes over a whole configuration. @returns where keys are to be fetched from. */
  load(state: ConfigState): readonly KeySource[] {
    this.#state = state;
    this.ofConsumers.load(state);
    for (const index of [this.#secretsByKey, this.#secretsById, this.#fetched]) index.clear();
    for (const secret of state.list('jwt_secrets')) this.#addSecret(secret);
    this.#bindings.load(state);
    this.#readIssuers();
    return this.#keySources;
  }

  /** Follows the operations that led to `state`. @returns where keys are to be fetched from. */
  follow(ops: readonly ConfigOp[], state: ConfigState): readonly KeySource[] {
    this.#state = state;
    this.ofConsumers.follow(ops, state);
    let touchesSources = false;
    for (const op of ops) {
      if (op.kind === 'issuers' || op.kind === 'vaults') touchesSources = true;
      if (op.kind === 'plugins') this.#bindings.put(op.id, state);
      if (op.kind !== 'jwt_secrets') continue;
      if (this.#dropSecret(op.id)) touchesSources = true;
      const secret = state.get('jwt_secrets', op.id);
      if (secret !== undefined && this.#addSecret(secret)) touchesSources = true;
    }
    if (touchesSources) this.#readIssuers();
    return this.#keySources;
  }

  secretOf(key: string): JwtSecret | undefined {
    return this.#secretsByKey.get(key);
  }

  issuerOf(url: string): TrustedIssuer | undefined {
    return this.#issuersByUrl.get(url);
  }

  consumer(id: string): Consumer | undefined {
    return this.#state.get('consumers', id);
  }

  /** The plugin with this id, if it is enabled and of one of these names. */
  plugin(id: string, names: readonly string[]): PluginEntity | undefined {
    const plugin = this.#state.get('plugins', id);
    return plugin?.enabled === true && names.includes(plugin.name) ? plugin : undefined;
  }

  /** Names of the claims that tenant-binding plugins read. */
  get boundClaims(): readonly string[] {
    return this.#bindings.names;
  }

  /** Names of the issuers this process cannot use. */
  get unusableIssuers(): readonly string[] {
    return this.#unusable;
  }

  get issuers(): readonly TrustedIssuer[] {
    return [...this.#issuersByUrl.values()];
  }

  /** @returns whether its keys are fetched. */
  #addSecret(secret: JwtSecret): boolean {
    this.#secretsByKey.set(secret.key, secret);
    this.#secretsById.set(secret.id, secret);
    if (secret.jwks_uri !== null) this.#fetched.set(secret.id, secret);
    return secret.jwks_uri !== null;
  }

  /** @returns whether its keys were fetched. */
  #dropSecret(id: string): boolean {
    const secret = this.#secretsById.get(id);
    this.#secretsById.delete(id);
    if (secret !== undefined && this.#secretsByKey.get(secret.key) === secret)
      this.#secretsByKey.delete(secret.key);
    return this.#fetched.delete(id);
  }

  #readIssuers(): void {
    const issuers = new Map<string, TrustedIssuer>();
    const unusable: string[] = [];
    const vaults = vaultPrefixesOf(this.#state.list('vaults'));
    const resolve = (text: string) => resolveReference(text, this.#environment, vaults);
    for (const entity of this.#state.list('issuers')) {
      const url = resolve(entity.issuer);
      const jwksUri = entity.jwks_uri === null ? null : resolve(entity.jwks_uri);
      if (url === undefined || jwksUri === undefined) {
        unusable.push(entity.name);
        this.#warnOnce(entity, url === undefined ? 'issuer' : 'jwks_uri');
      } else issuers.set(url, { entity, url, keySource: { issuer: url, jwksUri } });
    }
    this.#issuersByUrl = issuers;
    this.#unusable = unusable;
    const ofSecrets = [...this.#fetched.values()].map(keySourceOf).filter((source) => source !== undefined);
    this.#keySources = [...this.issuers.map((issuer) => issuer.keySource), ...ofSecrets];
  }

  #warnOnce(entity: Issuer, field: 'issuer' | 'jwks_uri'): void {
    const reference = `${entity.id} ${field} ${entity[field]}`;
    if (this.#warned.has(reference)) return;
    this.#warned.add(reference);
    this.#logger.warn(
      { issuer: entity.name, field, reference: entity[field] },
      'issuer cannot be used: its reference names no set variable; set it in the environment of auth and restart',
    );
  }
}

/** Undefined for a secret that holds its key itself. */
export const keySourceOf = (secret: JwtSecret): KeySource | undefined =>
  secret.jwks_uri === null ? undefined : { issuer: null, jwksUri: secret.jwks_uri };
