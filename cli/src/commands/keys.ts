import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';

interface CreateOptions extends AdminOptions {
  readonly tenant: string;
  readonly name: string;
  readonly platform?: string;
  /** Seconds. */
  readonly ttl?: number;
}

interface ListOptions extends AdminOptions {
  readonly tenant?: string;
}

interface RotateOptions extends AdminOptions {
  /** Seconds. */
  readonly grace?: number;
}

interface Key {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly state: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt?: string | null;
}

interface Issued {
  readonly key: Key;
  readonly text: string;
  readonly previous?: Key;
}

interface Count {
  readonly live: number;
  readonly confirmed: number;
}

interface Revoked {
  readonly key: Key;
  readonly confirmation: { readonly edges: Count; readonly auth: Count; readonly missing: readonly string[] };
}

/** The key alone on standard output, so that it can be piped; everything else beside it. */
const sayIssued = (issued: Issued, options: AdminOptions, io: Surroundings): number => {
  const { key, text, previous } = issued;
  if (options.json) printJson(io.out, issued);
  else {
    printLine(io.out, text);
    const until = key.expiresAt === null ? '' : `, until ${key.expiresAt}`;
    printLine(
      io.err,
      `${paint(io.err, 'green', '✔')} key ${key.id} of ${key.tenant}${until}; it is not shown again`,
    );
    if (previous !== undefined)
      printLine(io.err, `  key ${previous.id} is ${previous.state}, and ends ${previous.expiresAt ?? 'now'}`);
  }
  return EXIT.ok;
};

/** Makes a key for a tenant. */
export const createKey = async (options: CreateOptions, io: Surroundings): Promise<number> => {
  const { tenant, name, platform, ttl } = options;
  const body = JSON.stringify({ tenant, name, platform, ttlSeconds: ttl });
  const issued = await askAdmin<Issued>(options, io, '/sluice/keys', { method: 'POST', body });
  return typeof issued === 'number' ? issued : sayIssued(issued, options, io);
};

/** What keys there are, the newest first. */
export const listKeys = async (options: ListOptions, io: Surroundings): Promise<number> => {
  const query = options.tenant === undefined ? '' : `?tenant=${encodeURIComponent(options.tenant)}`;
  const listed = await askAdmin<{ data: readonly Key[]; total: number }>(options, io, `/sluice/keys${query}`);
  if (typeof listed === 'number') return listed;
  if (options.json) printJson(io.out, listed);
  else {
    if (listed.total === 0) printLine(io.out, 'there are no keys');
    for (const { id, tenant, name, state, expiresAt, lastUsedAt } of listed.data)
      printLine(
        io.out,
        `${id}  ${state.padEnd(7)}  ${tenant}  ${name} · last used ${lastUsedAt ?? 'never'}${expiresAt === null ? '' : ` · ends ${expiresAt}`}`,
      );
    if (listed.total > listed.data.length)
      printLine(io.out, `… and ${listed.total - listed.data.length} older ones; name a tenant with --tenant`);
  }
  return EXIT.ok;
};

/** Makes a key in the place of another, which goes on for a while. */
export const rotateKey = async (id: string, options: RotateOptions, io: Surroundings): Promise<number> => {
  const path = `/sluice/keys/${encodeURIComponent(id)}/rotate`;
  const body = JSON.stringify({ graceSeconds: options.grace });
  const issued = await askAdmin<Issued>(options, io, path, { method: 'POST', body });
  return typeof issued === 'number' ? issued : sayIssued(issued, options, io);
};

/** Refuses a key everywhere from now on, and says where that is in force. */
export const revokeKey = async (id: string, options: AdminOptions, io: Surroundings): Promise<number> => {
  const path = `/sluice/keys/${encodeURIComponent(id)}`;
  const revoked = await askAdmin<Revoked>(options, io, path, { method: 'DELETE' });
  if (typeof revoked === 'number') return revoked;
  const { edges, auth, missing } = revoked.confirmation;
  if (options.json) printJson(io.out, revoked);
  else {
    const where = `${edges.confirmed} of ${edges.live} edges and ${auth.confirmed} of ${auth.live} auth processes`;
    printLine(io.out, `${paint(io.out, 'green', '✔')} revoked key ${revoked.key.id} · in force on ${where}`);
    if (missing.length > 0)
      printLine(io.err, `${paint(io.err, 'yellow', '!')} stored, but not confirmed by ${missing.join(', ')}`);
  }
  return missing.length === 0 ? EXIT.ok : EXIT.environment;
};
