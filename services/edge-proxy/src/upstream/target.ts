/** One address of a Service, and what its requests are addressed to. */
export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** Name or address to connect to; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Where connections go, `host:port`: requests to the same one share them. */
  readonly address: string;
  /** `Host` for this target. */
  readonly hostHeader: string;
  /** `host:port` as configured, for logs and metrics. */
  readonly label: string;
}

/** Connect elsewhere than the configuration says, by `host:port`; the names in headers stay. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/**
 * Reads `host:port=host:port` entries.
 * @throws Error naming the entry that cannot be read.
 */
export const parseConnectTo = (entries: readonly string[]): ConnectTo =>
  new Map(
    entries.map((entry) => {
      const found = /^([^=]+:\d+)=(.+):(\d+)$/.exec(entry);
      if (found === null) throw new Error(`CONNECT_TO: "${entry}" is not host:port=host:port`);
      return [(found[1] ?? '').toLowerCase(), { host: found[2] ?? '', port: Number(found[3]) }] as const;
    }),
  );

export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** What a request to `host` says in `Host`, with the port where it is not the protocol's own. */
export const hostHeaderFor = (protocol: Target['protocol'], host: string, port: number): string =>
  port === (protocol === 'https:' ? 443 : 80) ? bracketed(host) : `${bracketed(host)}:${port}`;

/** The target at a host and port, whatever resolves the host. */
export const targetAt = (
  protocol: Target['protocol'],
  host: string,
  port: number,
  connectTo: ConnectTo,
): Target => {
  const label = `${bracketed(host)}:${port}`;
  const elsewhere = connectTo.get(label.toLowerCase());
  const to = elsewhere ?? { host, port };
  return {
    protocol,
    ...to,
    address: `${to.host}:${to.port}`,
    hostHeader: hostHeaderFor(protocol, host, port),
    label,
  };
};
