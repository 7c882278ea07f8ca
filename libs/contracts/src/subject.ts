import { createHash } from 'node:crypto';
import type { EventContract } from './contract.ts';

const SAFE_TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * One subject token from any text: as it is when it matches `[A-Za-z0-9_-]{1,64}`, else `~` and the first
 * 43 base64url characters of its SHA-256. The nats client does not validate subjects, so a crafted tenant id
 * could otherwise inject protocol lines.
 */
export const subjectToken = (text: string): string =>
  SAFE_TOKEN.test(text) ? text : `~${createHash('sha256').update(text).digest('base64url')}`;

/** The concrete subject of a contract whose address ends in `{token}`. */
export const subjectFor = (contract: Pick<EventContract, 'subject'>, token: string): string =>
  contract.subject.replace(/\{[a-z]+\}/, subjectToken(token));

/** The wildcard form of a contract's subject, for subscriptions and streams. */
export const subjectPattern = (contract: Pick<EventContract, 'subject'>): string =>
  contract.subject.replace(/\{[a-z]+\}/, '*');
