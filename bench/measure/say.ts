/** Progress goes here: what a bench prints on its output is its result. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
