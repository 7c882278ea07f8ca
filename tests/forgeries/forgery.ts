import { makeKeys } from '../forge-token.ts';

/** The keys behind every name of the configuration. */
export const keys = makeKeys();
/** Nobody's. */
export const mallory = makeKeys();
export const SECRET = 'a-shared-secret';

/** A token that nobody may get in with. */
export interface Forgery {
  /** Tells it from the others of its family. */
  readonly name: string;
  readonly token: string;
  /** What the refusal says, and nothing else; absent: any one thing. */
  readonly message?: string;
  /** Absent: 401. */
  readonly status?: number;
  /** Lines that stand beside it in the head, each with its end. */
  readonly beside?: string;
}

/** Forgeries by one idea. */
export interface Family {
  readonly family: string;
  /** What they show, as the title of a test. */
  readonly title: string;
  /** `origin` has the issuer at `/oidc`, and whatever a token points to. Made anew, their claims are of that moment. */
  readonly forge: (origin: string) => Iterable<Forgery>;
}

const LIFE_SECONDS = 600;

/** Claims that would be good with a signature of that `iss`. */
export const claimsOf = (iss: string, over: object = {}) => ({
  ...{ iss, sub: 'root', tenant_id: 'any', exp: Math.floor(Date.now() / 1000) + LIFE_SECONDS },
  ...over,
});
/** Claims that would be good with a signature of the issuer. */
export const oidcOf = (origin: string, over: object = {}) => claimsOf(`${origin}/oidc`, over);
