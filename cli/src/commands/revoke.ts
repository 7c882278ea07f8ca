import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface RevokeOptions extends AdminOptions {
  readonly sub?: string;
  readonly jti?: string;
  readonly tenant?: string;
  readonly kid?: string;
  readonly consumer?: string;
  /** The token itself, or `-` for standard input. */
  readonly token?: string;
  readonly issuer?: string;
  readonly before?: string;
  readonly message?: string;
}

/** What the Admin API is asked for. */
interface Wanted {
  readonly by: string;
  readonly value: string;
  readonly issuer?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly reason?: string | undefined;
}

interface Shown {
  readonly by: string;
  readonly value: string;
  readonly issuer?: string;
  readonly notBefore: string;
  readonly reason?: string;
  readonly revokedAt: string;
  readonly revokedBy: string;
}

interface Count {
  readonly live: number;
  readonly confirmed: number;
}

interface Revoked {
  readonly revocation: Shown;
  readonly isNew: boolean;
  readonly confirmation: { readonly edges: Count; readonly auth: Count; readonly missing: readonly string[] };
}

const PATH = '/sluice/revocations';
const NAMES = { sub: 'subject', jti: 'jti', tenant: 'tenant', kid: 'kid', consumer: 'consumer' } as const;

/** Refuses tokens everywhere from now on, and says where that is in force. */
export const revoke = async (options: RevokeOptions, io: Surroundings): Promise<number> => {
  const wanted = await wantedBy(options, io);
  if (typeof wanted === 'string') return refuse(io, EXIT.invalid, wanted, options);
  const body = JSON.stringify({ ...wanted, reason: options.message });
  const answered = await askAdmin<Revoked>(options, io, PATH, { method: 'POST', body });
  if (typeof answered === 'number') return answered;
  const { missing } = answered.confirmation;
  if (options.json) printJson(io.out, answered);
  else {
    printLine(io.out, `${paint(io.out, 'green', '✔')} ${describe(answered)}`);
    if (missing.length > 0)
      printLine(
        io.err,
        `${paint(io.err, 'yellow', '!')} stored, but not confirmed by ${missing.join(', ')}: they take it over when they can; an edge that is cut off goes on with what it remembers for a minute at most`,
      );
  }
  return missing.length === 0 ? EXIT.ok : EXIT.environment;
};

/** What is revoked, the newest first. */
export const revocations = async (options: AdminOptions, io: Surroundings): Promise<number> => {
  const answered = await askAdmin<{ data: readonly Shown[]; total: number }>(options, io, PATH);
  if (typeof answered === 'number') return answered;
  const { data, total } = answered;
  if (options.json) printJson(io.out, answered);
  else {
    if (total === 0) printLine(io.out, 'nothing is revoked');
    for (const one of data) {
      const why = one.reason === undefined ? '' : ` · ${one.reason}`;
      printLine(io.out, `${one.revokedAt}  ${one.revokedBy}  ${tokensOf(one)}${why}`);
    }
    if (total > data.length) printLine(io.out, `… and ${total - data.length} older ones`);
  }
  return EXIT.ok;
};

/** A text says what is wrong with the options. */
const wantedBy = async (options: RevokeOptions, io: Surroundings): Promise<Wanted | string> => {
  const { issuer, token } = options;
  const named = Object.entries(NAMES).flatMap(([option, by]) => {
    const value = options[option as keyof typeof NAMES];
    return value === undefined ? [] : [{ by, value }];
  });
  if (named.length + (token === undefined ? 0 : 1) !== 1)
    return 'say what to revoke by exactly one of --sub, --jti, --tenant, --kid, --consumer, --token';
  const before = options.before === undefined ? undefined : new Date(options.before);
  if (before !== undefined && Number.isNaN(before.getTime()))
    return '--before: give an instant such as 2026-01-31T12:00:00Z';
  const notBefore = before?.toISOString();
  const [only] = named;
  if (only !== undefined) return { ...only, issuer, notBefore };
  const read = namesIn(token === '-' ? await io.readInput() : (token ?? ''));
  return typeof read === 'string' ? read : { ...read, notBefore: notBefore ?? read.notBefore };
};

/** What a token can be revoked by; its signature is not looked at, and nothing of it is repeated in a message. */
const namesIn = (text: string): Wanted | string => {
  const claims = claimsOf(text.trim());
  if (claims === undefined) return '--token: this is no JSON Web Token';
  const { jti, sub, iss, iat } = claims;
  const issuer = typeof iss === 'string' && iss !== '' ? iss : undefined;
  if (isName(jti)) return { by: 'jti', value: `${jti}`, issuer };
  if (!isName(sub))
    return '--token: it has neither jti nor sub; revoke by --tenant, --kid or --consumer instead';
  // Without a jti it cannot be told from others of its subject: those issued up to the same second go with it.
  const notBefore =
    typeof iat === 'number' ? new Date((Math.floor(iat) + 1) * 1000).toISOString() : undefined;
  return { by: 'subject', value: `${sub}`, issuer, notBefore };
};

const isName = (claim: unknown): claim is string | number =>
  typeof claim === 'number' || (typeof claim === 'string' && claim !== '');

const claimsOf = (token: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const [, claims = '', signature] = token.split('.');
    const value: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && signature !== undefined ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not JSON
  }
};

const tokensOf = ({ by, value, issuer, notBefore }: Shown): string => {
  const of = issuer === undefined ? '' : ` of ${issuer}`;
  return by === 'jti'
    ? `the token ${value}${of}`
    : `tokens of ${by} ${value}${of} issued before ${notBefore}`;
};

const describe = ({ revocation, isNew, confirmation }: Revoked): string => {
  const { edges, auth } = confirmation;
  const where = `in force on ${edges.confirmed} of ${edges.live} edges and ${auth.confirmed} of ${auth.live} auth processes`;
  return `${isNew ? 'revoked' : 'was revoked already:'} ${tokensOf(revocation)} · ${where}`;
};
