import { isUtf8 } from 'node:buffer';
import { doubtIn } from './json-scan.ts';
import type { Validate } from './json-schema.ts';
import type { Problem } from './validation-parameters.ts';

/** Deepest nesting of a body that is looked at. */
export const MAX_BODY_DEPTH = 100;
/** Of a larger body only the first problem is told: every further one costs as much as the body is long. */
const MAX_BYTES_FOR_ALL = 64 * 1024;

/** A kind of body: its media type or range, and its check where it is JSON that has one. */
export interface MediaCheck {
  readonly type: string;
  readonly validate: Validate | undefined;
}

/** The media type of a Content-Type, without parameters, in lower case. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType?.split(';')[0] ?? '').trim().toLowerCase();

const covers = (range: string, type: string): boolean => {
  if (range === type || range === '*/*') return true;
  const [main = '', sub = ''] = range.split('/');
  if (!type.startsWith(`${main}/`)) return false;
  return sub === '*' || (sub.startsWith('*+') && type.endsWith(sub.slice(1)));
};

/** What is said about a media type: the exact one goes before ranges. */
export const mediaFor = (media: readonly MediaCheck[], type: string): MediaCheck | undefined =>
  media.find((one) => one.type === type) ?? media.find((one) => covers(one.type, type));

const inBody = (path: string, message: string, keyword: string): readonly Problem[] => [
  { in: 'body', path, message, keyword },
];

/** Judges a body that claims to be JSON. */
export const judgeJson = (body: Buffer, validate: Validate): readonly Problem[] | undefined => {
  if (!isUtf8(body)) return inBody('', 'must be text in UTF-8', 'encoding');
  const text = body.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return inBody('', 'must be JSON', 'json');
  }
  const doubt = doubtIn(text, MAX_BODY_DEPTH);
  if (doubt?.kind === 'depth')
    return inBody('', `must not be nested deeper than ${MAX_BODY_DEPTH} levels`, 'depth');
  if (doubt?.kind === 'duplicate')
    return inBody(
      '',
      `must not have the name '${doubt.name?.slice(0, 64)}' twice in one object`,
      'duplicate',
    );
  return validate(value, body.length <= MAX_BYTES_FOR_ALL)?.map((one) => ({ ...one, in: 'body' }));
};

/** True where a body is written in another form than its media type says. */
export const isEncoded = (contentEncoding: string | undefined): boolean =>
  contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== 'identity';
