/** Characters of one pattern. */
const MAX_LENGTH = 2048;
const LOOK_AROUND = /\(\?(?:<?[=!])/;
const BACK_REFERENCE = /\\(?:[1-9]|k[<{'])/;

/** What is refused besides syntax errors: an engine in linear time has neither. */
const withoutEscapedBackslashes = (pattern: string): string => pattern.replaceAll('\\\\', '');

/**
 * Why a regular expression of the configuration cannot be used; undefined when it can. The dialect is Kong's
 * router's (no look-around, no back-references); the pattern is compiled, never run, here.
 */
export const checkPattern = (pattern: string): string | undefined => {
  if (pattern.length > MAX_LENGTH) return `longer than ${MAX_LENGTH} characters`;
  const bare = withoutEscapedBackslashes(pattern);
  if (LOOK_AROUND.test(bare)) return 'look-around is not supported';
  if (BACK_REFERENCE.test(bare)) return 'back-references are not supported';
  try {
    new RegExp(toJavaScript(pattern));
    return undefined;
  } catch (error) {
    return reasonOf(error as Error);
  }
};

/** Rust writes `(?P<name>…)` and `(?i)` where JavaScript has `(?<name>…)` and a flag. */
const toJavaScript = (pattern: string): string =>
  pattern.replaceAll('(?P<', '(?<').replace(/^\^?\(\?[imsux]+\)/, '');

const reasonOf = ({ message }: Error): string => message.slice(message.lastIndexOf(': ') + 2).toLowerCase();
