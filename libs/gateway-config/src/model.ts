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
}

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

/** Entities the gateway itself understands; the others are kept and shown, keyed by id. */
export interface EntityByKind {
  services: Service;
  routes: Route;
  consumers: Consumer;
  plugins: PluginEntity;
  jwt_secrets: JwtSecret;
  issuers: Issuer;
}

export type EntityOf<K extends Kind> = K extends keyof EntityByKind ? EntityByKind[K] : Stored;
