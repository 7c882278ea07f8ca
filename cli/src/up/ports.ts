import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';
const LISTEN = '0A'; // TCP_LISTEN in the kernel's table

/**
 * Below the ports that systems give to outgoing connections: one of those may be taken by anybody between our
 * choice and the moment at which the process that it is for listens.
 */
const FREE_FROM = 15_000;
const FREE_TO = 32_000;

/** The port that was bound, or undefined when somebody has it. */
const bind = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });

/** Hands out free loopback ports, none of them twice. */
export class Ports {
  readonly #given = new Set<number>();

  /** This port, unless it is taken or was handed out. */
  async claim(port: number): Promise<number | undefined> {
    if (this.#given.has(port) || (await bind(port)) === undefined) return undefined;
    this.#given.add(port);
    return port;
  }

  async anyFree(): Promise<number> {
    for (;;) {
      const port = await this.claim(randomInt(FREE_FROM, FREE_TO));
      if (port !== undefined) return port;
    }
  }

  async preferring(port: number): Promise<number> {
    return (await this.claim(port)) ?? this.anyFree();
  }
}

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
};

/** Inodes of the sockets that listen on a port. Columns of /proc/net/tcp: sl, local, remote, state, …, inode. */
const listenersOn = (port: number): Set<string> => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(linesOf).flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    return columns[1]?.endsWith(suffix) && columns[3] === LISTEN ? [`${columns[9]}`] : [];
  });
  return new Set(inodes);
};

const holdsOneOf = (pid: string, sockets: ReadonlySet<string>): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false; // gone meanwhile, or another user's
  }
};

/** The process that listens on a port; undefined where /proc does not tell (macOS, another user's process). */
export const ownerOf = (port: number): number | undefined => {
  const sockets = new Set([...listenersOn(port)].map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && holdsOneOf(entry, sockets));
  return pid === undefined ? undefined : Number(pid);
};

/** Which port is taken, by whom, and what moves it. */
export const takenMessage = (port: number, purpose: string, remedy: string): string => {
  const pid = ownerOf(port);
  return `port ${port} (${purpose}) is taken by ${pid === undefined ? 'another process' : `pid ${pid}`}: ${remedy}`;
};
