import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator } from 'nats';
import type { Logger } from './logger.ts';

export interface BusOptions {
  /** One or several server URLs, separated by commas; user info in a URL is used. */
  readonly url: string;
  /** Shown by the server's connection list. */
  readonly name: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Path of a credentials file. */
  readonly creds?: string | undefined;
  readonly logger: Logger;
}

/** The client's options: connect for as long as it takes, notice a silent server within 15 s. */
export const connectionOptions = ({ url, name, user, password, creds }: BusOptions): ConnectionOptions => {
  const urls = url
    .split(',')
    .map((text) => new URL(text.trim().includes('://') ? text.trim() : `nats://${text.trim()}`));
  const first = urls[0];
  const options: ConnectionOptions = {
    servers: urls.map((u) => u.host),
    name,
    inboxPrefix: `_INBOX_${name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    pingInterval: 5000,
    maxPingOut: 2,
    waitOnFirstConnect: true,
    timeout: 5000,
    noAsyncTraces: true, // an Error with its stack per request costs a quarter of the asker's CPU
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(creds)) }),
  };
  const login = user ?? (first?.username === '' ? undefined : decodeURIComponent(first?.username ?? ''));
  if (login !== undefined && login !== '') {
    options.user = login;
    options.pass = password ?? decodeURIComponent(first?.password ?? '');
  }
  return options;
};
