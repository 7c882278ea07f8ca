const INSTANT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d))?$/;

/**
 * Unix microseconds of an RFC 3339 timestamp, or of one without a zone, which is UTC: the original publisher sends
 * `datetime.utcnow().isoformat()`. Undefined for anything else and before 1970.
 */
export const microsOf = (text: string | null | undefined): bigint | undefined => {
  const found = INSTANT.exec(text ?? '');
  if (found === null) return undefined;
  const [, day, time, fraction = '', , hours, minutes] = found;
  const ms = Date.parse(`${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  if (Number.isNaN(ms) || ms < 0) return undefined;
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
};

/** RFC 3339 with microseconds. */
export const instantOf = (micros: bigint): string =>
  `${new Date(Number(micros / 1000n)).toISOString().slice(0, -1)}${`${micros % 1000n}`.padStart(3, '0')}Z`;
