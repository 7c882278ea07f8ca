/**
 * Header lines and request targets are bytes; Node shows each byte as one character (latin1). Text that goes
 * from a configuration or a JSON body into them has to become such a byte string, and the reverse.
 */

const isAscii = (value: string): boolean => Buffer.byteLength(value) === value.length;
const hexOf = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** Unicode text as its UTF-8 bytes, one character each. */
export const toByteString = (value: string): string =>
  isAscii(value) ? value : Buffer.from(value, 'utf8').toString('latin1');

/** The text whose UTF-8 bytes these are. */
export const fromByteString = (value: string): string =>
  isAscii(value) ? value : Buffer.from(value, 'latin1').toString('utf8');

const isHeaderByte = (code: number): boolean => code === 9 || (code >= 32 && code <= 255 && code !== 127);

/** A header value that cannot end its line: control characters are percent-encoded, as OpenResty does. */
export const toHeaderValue = (value: string): string => {
  for (let i = 0; i < value.length; i++)
    if (!isHeaderByte(value.charCodeAt(i)))
      return Array.from(wide(value), (char) => (isHeaderByte(char.charCodeAt(0)) ? char : hexOf(char))).join(
        '',
      );
  return value;
};

// A character above 255 shows that this is text, not bytes yet.
const wide = (value: string): string =>
  Array.from(value).some((char) => char.charCodeAt(0) > 255) ? toByteString(value) : value;

/** A value as part of a path: everything that would end the path or is no URI character is percent-encoded. */
export const toPathPart = (value: string): string =>
  wide(value).replace(/[^!$&'()*+,/:;=@[\]A-Za-z0-9\-_.~%]/g, hexOf);

/** One name or value of a query string or form. */
export const encodeArg = (value: string): string => wide(value).replace(/[^A-Za-z0-9\-_.~]/g, hexOf);

/** The reverse of `encodeArg`, also for `+` as a blank; an incomplete `%` stays as it is. */
export const decodeArg = (value: string): string =>
  value
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
