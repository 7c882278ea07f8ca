import type { TokenMarks } from '@sluice/contracts';
import { ownValue, type Token } from './jwt-format.ts';

const MAX_CHARS = 1024; // what is longer no revocation can name

/** What the configuration says of a token. */
export type Foundation = { readonly [Name in 'tenant' | 'consumer']?: string | undefined };

/** What a revocation may name a verified token by. */
export const marksOf = ({ claims, header }: Token, { tenant, consumer }: Foundation): TokenMarks => {
  const iat = ownValue(claims, 'iat');
  const marks = {
    subject: textOf(ownValue(claims, 'sub')),
    jti: textOf(ownValue(claims, 'jti')),
    kid: textOf(ownValue(header, 'kid')),
    issuer: textOf(ownValue(claims, 'iss')),
    tenant,
    consumer,
    issuedAtMs: typeof iat === 'number' && Number.isFinite(iat) ? Math.floor(iat * 1000) : undefined,
  };
  return Object.fromEntries(Object.entries(marks).filter(([, value]) => value !== undefined));
};

const textOf = (value: unknown): string | undefined => {
  const text = typeof value === 'number' ? `${value}` : value;
  return typeof text === 'string' && text !== '' && text.length <= MAX_CHARS ? text : undefined;
};
