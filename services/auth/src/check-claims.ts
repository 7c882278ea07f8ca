import { type JsonObject, ownValue } from './jwt-format.ts';

/** What is wrong by claim, in Kong's words: this map is the body of the answer. */
export type ClaimProblems = Readonly<Record<string, string>>;

export type TimeClaim = 'exp' | 'nbf';

export interface ClaimRules {
  /** Must be there and hold. */
  readonly required: readonly TimeClaim[];
  /** Must hold when there. */
  readonly ifPresent: readonly TimeClaim[];
  /** Seconds; 0: any. */
  readonly maximumExpiration: number;
  readonly skewSeconds: number;
}

/** Checks the times of a token. `nowSeconds` is whole Unix seconds, as Kong's clock. Undefined: all hold. */
export const checkClaims = (
  claims: JsonObject,
  rules: ClaimRules,
  nowSeconds: number,
): ClaimProblems | undefined => {
  const problems: Record<string, string> = {};
  const present = rules.ifPresent.filter((name) => Object.hasOwn(claims, name));
  for (const name of [...rules.required, ...present]) {
    const problem = checkTime(name, ownValue(claims, name), nowSeconds, rules.skewSeconds);
    if (problem !== undefined) problems[name] = problem;
  }
  if (Object.keys(problems).length > 0) return problems;
  return checkMaximum(ownValue(claims, 'exp'), rules.maximumExpiration, nowSeconds);
};

const checkTime = (name: TimeClaim, value: unknown, now: number, skew: number): string | undefined => {
  if (typeof value !== 'number') return 'must be a number';
  if (name === 'exp') return value + skew <= now ? 'token expired' : undefined;
  return value - skew > now ? 'token not valid yet' : undefined;
};

const checkMaximum = (exp: unknown, maximum: number, now: number): ClaimProblems | undefined => {
  if (maximum <= 0) return undefined;
  if (exp !== undefined && typeof exp !== 'number') return { exp: 'must be a number' };
  return exp === undefined || exp - now > maximum ? { exp: 'exceeds maximum allowed expiration' } : undefined;
};
