/**
 * A flag's value. `usage` says what the flags are.
 * @throws Error when it is no whole number above 0
 */
export const wholeNumber = (
  name: string,
  text: string | undefined,
  otherwise: number,
  usage: string,
): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} is '${text}': give a whole number above 0\n${usage}`);
};
