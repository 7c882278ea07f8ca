const NULL = /^(?:~|[Nn]ull|NULL)?$/;
const TRUE = /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON)$/;
const FALSE = /^(?:false|False|FALSE|no|No|NO|off|Off|OFF)$/;
const DECIMAL = /^[-+]?[0-9]+$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$/;
/** Octal, hexadecimal, infinities and not-a-number: rare enough to leave to the YAML library. */
const RARE = /^(?:0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** By character code: 1 where words begin like none of the special ones (null, true, false, yes, no, on, off, numbers). */
const ORDINARY = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[a-egi-mp-su-xzA-EGI-MP-SU-XZ/_]/.test(String.fromCharCode(code))),
);

/** Returned where the plain reader does not know for certain; the YAML library then reads the whole text. */
export const UNSURE = Symbol('unsure');

/** A plain (unquoted) scalar as YAML 1.2 reads it, plus yes/no/on/off, which Kong's YAML reader has. */
export const resolvePlain = (text: string): string | number | boolean | null | typeof UNSURE => {
  // Most scalars are words: one look at the first character spares them the patterns.
  if (ORDINARY[text.charCodeAt(0)] === 1) return text;
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  if (DECIMAL.test(text)) return Number(text);
  if (FLOAT.test(text)) return Number.parseFloat(text);
  return RARE.test(text) ? UNSURE : text;
};

/** The tag with which the YAML library reads yes/no/on/off as booleans too. */
export const kongBoolean = {
  identify: (value: unknown): boolean => typeof value === 'boolean',
  default: true as const,
  tag: 'tag:yaml.org,2002:bool',
  test: /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/,
  resolve: (text: string): boolean => TRUE.test(text),
};
