export type ServerName = 'nats-server' | 'redis-server' | 'prometheus' | 'chromium';

export type Found =
  | { ok: true; paths: Record<string, string> }
  | { ok: false; missing: ServerName[]; message: string };

export interface Search {
  wanted: ServerName[];
  /** The PATH to search. */
  path: string | undefined;
  /** Searched after PATH. */
  otherDirs?: string[];
  platform?: string;
  /** May use the system's package manager. */
  mayInstall?: boolean;
  /** Debian's switch against services that start on installation. */
  policyFile?: string;
  /** Gets one line before something slow. */
  say: (line: string) => void;
}

export declare const OTHER_DIRS: string[];
export declare const findServers: (search: Search) => Found;
