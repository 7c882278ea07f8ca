import { authRevoked, type Revocation, STREAMS, subjectFor, subjectPattern } from '@sluice/contracts';
import type { StoredMessage } from '@sluice/service-kit';

/** The stream that holds the list. */
export const STREAM = STREAMS.REVOCATIONS.name;
export const EVERY_SUBJECT = subjectPattern(authRevoked);

/** A revocation and who made it when. */
export interface StoredRevocation {
  readonly revocation: Revocation;
  /** RFC 3339. */
  readonly occurredAt: string;
  readonly actor: string;
}

/** Where the revocation of a value is kept: the same for every revocation of it. */
export const subjectOf = ({ by, issuer = '', value }: Revocation): string =>
  subjectFor(authRevoked, JSON.stringify([by, issuer, value]));

/** The revocation of a stored message; undefined when the message is none. */
export const revocationOf = (message: Pick<StoredMessage, 'data'>): StoredRevocation | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(message.data));
  } catch {
    return undefined;
  }
  const parsed = authRevoked.payload.safeParse(json);
  if (!parsed.success) return undefined;
  const { payload, occurredAt, actor } = parsed.data;
  return { revocation: payload, occurredAt, actor: actor ?? 'unknown' };
};
