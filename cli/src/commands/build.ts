import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATED, isFolder, readConfiguration } from '../configuration.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

/** Merges the files of a folder into its kong.yml. */
export const build = async (
  given: string | undefined,
  options: { json?: boolean },
  io: Surroundings,
): Promise<number> => {
  const dir = pathOf(io, given, 'config');
  if (!isFolder(dir))
    return refuse(io, EXIT.invalid, `${dir} is not a folder: name the one to build`, options);
  const read = await readConfiguration(dir, io);
  if (!read.ok) return refuse(io, EXIT.invalid, read.problems.join('\n  '), options);
  const file = join(dir, GENERATED);
  writeFileSync(file, read.configuration.text);
  if (options.json) printJson(io.out, { built: file });
  else printLine(io.out, `${paint(io.out, 'green', '✔')} built ${file}`);
  return EXIT.ok;
};
