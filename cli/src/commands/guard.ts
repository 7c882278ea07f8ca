import { type Sensitivity, scan } from '@sluice/plugins';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

interface GuardOptions {
  readonly sensitivity: Sensitivity;
  readonly json?: boolean;
}

const MAX_CHARS = 1_000_000;

/**
 * Judges a text as prompt-guard judges a message, and says which rules fired on what. Ends with 2 for an attack.
 * `given` is the text, or `-` for standard input. Nothing is sent anywhere.
 */
export const guard = async (given: string, options: GuardOptions, io: Surroundings): Promise<number> => {
  const text = given === '-' ? await io.readInput() : given;
  if (text.trim() === '')
    return refuse(io, EXIT.invalid, 'the text is empty: give one, or - to read it', options);
  if (text.length > MAX_CHARS)
    return refuse(io, EXIT.invalid, `the text is longer than ${MAX_CHARS} characters: give a part`, options);
  const { score, hits } = scan(text, options.sensitivity);
  const isAttack = score >= 1;
  if (options.json) printJson(io.out, { attack: isAttack, score, sensitivity: options.sensitivity, hits });
  else {
    const verdict = isAttack ? paint(io.out, 'red', '✖ an attack') : paint(io.out, 'green', '✔ no attack');
    printLine(io.out, `${verdict}: ${score.toFixed(2)} of 1 (${options.sensitivity})`);
    for (const { rule, family, weight, excerpt } of hits)
      printLine(io.out, `  ${weight.toFixed(2)}  ${rule} (${family})  ${printable(excerpt)}`);
  }
  return isAttack ? EXIT.changes : EXIT.ok;
};
