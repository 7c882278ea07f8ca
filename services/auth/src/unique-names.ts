/** Strings and what gives them their meaning; all else in good JSON is of no interest here. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * True when no object in this JSON has a name twice. JSON.parse would take the last of them, another reader the first
 * (RFC 7519 section 4 leaves it open), so one signed text would be two tokens. `json` has to be well-formed.
 */
export const hasUniqueNames = (json: string): boolean => {
  /** The names of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const names = open.at(-1);
      if (names?.has(text)) return false;
      names?.add(text);
    } else if (token !== ',')
      text = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
  }
  return true;
};
