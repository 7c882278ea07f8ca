import type { Kind } from '@sluice/contracts';

/** What every stored entity has. Fields that are not set are `null`, never absent. */
export interface Stored {
  readonly id: string;
  readonly created_at: number | null;
  readonly updated_at: number | null;
  readonly tags: readonly string[] | null;
}

/** A foreign key. */
export interface Reference {
  readonly id: string;
}

/** A named upstream API (kong-compat 2.1). Timeouts in ms. */
export interface Service extends Stored {
  readonly name: string | null;
  readonly protocol: 'http' | 'https' | 'grpc' | 'grpcs' | 'tcp' | 'tls' | 'tls_passthrough' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  /** Additional attempts after the first. */
  readonly retries: number;
  readonly connect_timeout: number;
  readonly write_timeout: number;
  readonly read_timeout: number;
  readonly client_certificate: Reference | null;
  readonly tls_verify: boolean | null;
  readonly tls_verify_depth: number | null;
  readonly ca_certificates: readonly string[] | null;
  readonly enabled: boolean;
}

/** A match rule (kong-compat 2.2). */
export interface Route extends Stored {
  readonly name: string | null;
  readonly service: Reference | null;
  readonly protocols: readonly string[];
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  /** `/prefix` or `~/regex`. */
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly snis: readonly string[] | null;
  readonly strip_path: boolean;
  readonly preserve_host: boolean;
  readonly https_redirect_status_code: number;
  readonly regex_priority: number;
  readonly path_handling: 'v0' | 'v1';
  readonly request_buffering: boolean;
  readonly response_buffering: boolean;
}

export interface Consumer extends Stored {
  readonly username: string | null;
  readonly custom_id: string | null;
}

/** A plugin on a scope (kong-compat 2.5). `config` is already checked and completed by the plugin's schema. */
export interface PluginEntity extends Stored {
  readonly name: string;
  readonly instance_name: string | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly route: Reference | null;
  readonly service: Reference | null;
  readonly consumer: Reference | null;
  readonly protocols: readonly string[];
  readonly enabled: boolean;
  /** Sluice: absent means `enforce`. */
  readonly mode?: PluginMode;
}

/** Whether a plugin refuses, only records what it would have refused, or does nothing. */
export type PluginMode = 'enforce' | 'shadow' | 'off';

export interface JwtSecret extends Stored {
  readonly consumer: Reference;
  /** Matched against the token's key claim. */
  readonly key: string;
  readonly secret: string;
  readonly algorithm: string;
  readonly rsa_public_key: string | null;
  /** Sluice: keys are fetched from here instead of `rsa_public_key`. */
  readonly jwks_uri: string | null;
}

/**
 * Sluice: an OIDC issuer whose tokens the `jwt` plugin accepts without a consumer. `issuer` may be a vault
 * reference (`{vault://env/logto-issuer}`), resolved by the auth process from its own environment.
 */
export interface Issuer extends Stored {
  readonly name: string;
  readonly issuer: string;
  /** Overrides discovery (`<issuer>/.well-known/openid-configuration`). */
  readonly jwks_uri: string | null;
  /** One of them must be in `aud`; null: not checked. */
  readonly audiences: readonly string[] | null;
  readonly algorithms: readonly string[];
  readonly tenant_claim: string;
  readonly user_claim: string;
  readonly platform_claim: string;
}

/** What an active probe does; intervals and timeout in seconds, 0 turns a probe or a limit off. */
export interface HealthcheckActive {
  readonly type: 'tcp' | 'http' | 'https' | 'grpc' | 'grpcs';
  readonly timeout: number;
  readonly concurrency: number;
  readonly http_path: string;
  readonly https_sni: string | null;
  readonly https_verify_certificate: boolean;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly healthy: {
    readonly interval: number;
    readonly successes: number;
    readonly http_statuses: readonly number[];
  };
  readonly unhealthy: {
    readonly interval: number;
    readonly http_failures: number;
    readonly tcp_failures: number;
    readonly timeouts: number;
    readonly http_statuses: readonly number[];
  };
}

/** What proxied traffic says about a target; a limit of 0 is off. */
export interface HealthcheckPassive {
  readonly type: 'tcp' | 'http' | 'https' | 'grpc' | 'grpcs';
  readonly healthy: { readonly successes: number; readonly http_statuses: readonly number[] };
  readonly unhealthy: {
    readonly http_failures: number;
    readonly tcp_failures: number;
    readonly timeouts: number;
    readonly http_statuses: readonly number[];
  };
}

type HashOn = 'none' | 'consumer' | 'ip' | 'header' | 'cookie' | 'path' | 'query_arg' | 'uri_capture';

/** A named group of targets; a service uses it when its host is the name (kong-compat 2.3). */
export interface Upstream extends Stored {
  readonly name: string;
  readonly algorithm: 'consistent-hashing' | 'least-connections' | 'round-robin' | 'latency';
  readonly hash_on: HashOn;
  readonly hash_fallback: HashOn;
  readonly hash_on_header: string | null;
  readonly hash_fallback_header: string | null;
  readonly hash_on_cookie: string | null;
  readonly hash_on_cookie_path: string;
  readonly hash_on_query_arg: string | null;
  readonly hash_fallback_query_arg: string | null;
  readonly hash_on_uri_capture: string | null;
  readonly hash_fallback_uri_capture: string | null;
  readonly slots: number;
  readonly healthchecks: {
    readonly active: HealthcheckActive;
    readonly passive: HealthcheckPassive;
    /** Percent of the weight that must be available. */
    readonly threshold: number;
  };
  readonly host_header: string | null;
  readonly client_certificate: Reference | null;
  readonly use_srv_name: boolean;
}

/** One address of an upstream; the port is always written. */
export interface Target extends Stored {
  readonly target: string;
  /** 0: registered, never chosen. */
  readonly weight: number;
  readonly upstream: Reference;
}

export interface KeyauthCredential extends Stored {
  readonly consumer: Reference;
  readonly key: string;
  /** Seconds after `created_at`. */
  readonly ttl: number | null;
}

export interface BasicauthCredential extends Stored {
  readonly consumer: Reference;
  readonly username: string;
  /** Hex SHA-1 of password and consumer id. */
  readonly password: string;
}

export interface HmacauthCredential extends Stored {
  readonly consumer: Reference;
  readonly username: string;
  readonly secret: string;
}

/** Kept for tools that read and write them. */
export interface Oauth2Credential extends Stored {
  readonly consumer: Reference;
  readonly name: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly hash_secret: boolean;
  readonly redirect_uris: readonly string[] | null;
  readonly client_type: 'confidential' | 'public';
}

export interface Acl extends Stored {
  readonly consumer: Reference;
  readonly group: string;
}

/** PEM, or vault references. */
export interface Certificate extends Stored {
  readonly cert: string;
  readonly key: string;
  readonly cert_alt: string | null;
  readonly key_alt: string | null;
}

export interface CaCertificate extends Stored {
  readonly cert: string;
  /** Hex SHA-256 of the DER. */
  readonly cert_digest: string;
}

export interface Sni extends Stored {
  readonly name: string;
  readonly certificate: Reference;
}

export interface Vault extends Stored {
  readonly prefix: string;
  readonly name: 'env';
  readonly description: string | null;
  readonly config: { readonly prefix: string | null };
}

/** Sluice: what holds for one tenant; the fields beside the name belong to those who use them. */
export interface Tenant extends Stored {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** Entities the gateway itself understands; the others are kept and shown, keyed by id. */
export interface EntityByKind {
  services: Service;
  routes: Route;
  consumers: Consumer;
  plugins: PluginEntity;
  targets: Target;
  certificates: Certificate;
  ca_certificates: CaCertificate;
  snis: Sni;
  vaults: Vault;
  keyauth_credentials: KeyauthCredential;
  basicauth_credentials: BasicauthCredential;
  hmacauth_credentials: HmacauthCredential;
  jwt_secrets: JwtSecret;
  oauth2_credentials: Oauth2Credential;
  acls: Acl;
  issuers: Issuer;
  tenants: Tenant;
}

export type EntityOf<K extends Kind> = K extends keyof EntityByKind ? EntityByKind[K] : Stored;
