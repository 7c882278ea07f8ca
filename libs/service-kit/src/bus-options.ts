import { readFileSync } from 'node:fs';
import { type BusUser, inboxPrefixOf } from '@sluice/contracts';
import { type ConnectionOptions, credsAuthenticator } from 'nats';
import type { Logger } from './logger.ts';

export interface BusOptions extends BusLogin {
  /** Shown by the server's connection list. */
  readonly name: string;
  /** Whose part the process plays: its replies come to subjects that only this user hears. Absent: the name's own. */
  readonly part?: BusUser | undefined;
  readonly logger: Logger;
  /** Questions answered at one time; more are turned away. */
  readonly maxInHand?: number;
}

/** Where the bus is and how a process logs in. */
export interface BusLogin {
  /** One or several server URLs, separated by commas; user info in a URL is used. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Path of a credentials file. */
  readonly creds?: string | undefined;
  /** Paths of PEM files; any of them, or a URL with `tls://`, asks for TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

interface BusSettings {
  readonly NATS_URL: string;
  readonly NATS_USER?: string | undefined;
  readonly NATS_PASSWORD?: string | undefined;
  readonly NATS_CREDS?: string | undefined;
  readonly NATS_TLS_CA?: string | undefined;
  readonly NATS_TLS_CERT?: string | undefined;
  readonly NATS_TLS_KEY?: string | undefined;
}

/** The shared settings of a process as the bus takes them. */
export const busLogin = (settings: BusSettings): BusLogin => {
  const { NATS_TLS_CA: ca, NATS_TLS_CERT: cert, NATS_TLS_KEY: key } = settings;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return {
    url: settings.NATS_URL,
    user: settings.NATS_USER,
    password: settings.NATS_PASSWORD,
    creds: settings.NATS_CREDS,
    ...(Object.keys(files).length === 0 ? {} : { tls: files }),
  };
};

/**
 * What replies to a process come to. Others may not subscribe to it: who could hear it would read their answers, who
 * could publish on it would forge them.
 */
export const inboxOf = ({ part, name }: Pick<BusOptions, 'part' | 'name'>): string =>
  part === undefined ? `_INBOX_${name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}` : inboxPrefixOf(part);

/**
 * An attempt to connect gets so long, in ms. What it sent into a partition is lost, also when that heals meanwhile: the
 * next attempt has to come soon enough for a process to have the configuration 2 s after.
 */
const CONNECT_TIMEOUT_MS = 1500;

/** The client's options: connect for as long as it takes, notice a silent server within 15 s. */
export const connectionOptions = (options: BusOptions): ConnectionOptions => {
  const { url, name, user, password, creds } = options;
  const urls = url
    .split(',')
    .map((text) => new URL(text.trim().includes('://') ? text.trim() : `nats://${text.trim()}`));
  const first = urls[0];
  const tls = tlsOf(options.tls, urls);
  const connection: ConnectionOptions = {
    servers: urls.map((u) => u.host),
    name,
    inboxPrefix: inboxOf(options),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    pingInterval: 5000,
    maxPingOut: 2,
    waitOnFirstConnect: true,
    // Passwords are changed at the server first or here first: in between is an outage like any other.
    ignoreAuthErrorAbort: true,
    timeout: CONNECT_TIMEOUT_MS,
    noAsyncTraces: true, // an Error with its stack per request costs a quarter of the asker's CPU
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(creds)) }),
    ...(tls === undefined ? {} : { tls }),
  };
  const login = user ?? (first?.username === '' ? undefined : decodeURIComponent(first?.username ?? ''));
  if (login !== undefined && login !== '') {
    connection.user = login;
    connection.pass = password ?? decodeURIComponent(first?.password ?? '');
  }
  return connection;
};

/** With files, or a scheme that says so, nothing is sent in the clear: a server without TLS is refused. */
const tlsOf = (files: BusLogin['tls'], urls: readonly URL[]): ConnectionOptions['tls'] | undefined => {
  if (files === undefined && !urls.some(({ protocol }) => protocol === 'tls:')) return undefined;
  const { ca, cert, key } = files ?? {};
  return {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
  };
};
