/** What the process may look up for a vault reference: its own environment, handed in by main. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = '{vault://';
const ENV_REFERENCE = /^\{vault:\/\/env\/([A-Za-z0-9_-]{1,200})\}$/;

/** True for text that stands for a secret kept elsewhere. */
export const isReference = (text: string): boolean => text.startsWith(REFERENCE);

/**
 * The text itself, or what `{vault://env/some-name}` stands for: the variable `SOME_NAME`, as Kong's env vault
 * reads it. Undefined when the variable is not set or the reference is of another kind.
 */
export const resolveReference = (text: string, environment: Environment): string | undefined => {
  if (!isReference(text)) return text;
  const name = ENV_REFERENCE.exec(text)?.[1]?.toUpperCase().replaceAll('-', '_');
  return name === undefined ? undefined : environment[name] || undefined;
};
