import { checkConfiguration, pluginsDirOf } from '../configuration.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

/** Says whether a folder or file is a valid configuration, and where it is not. */
export const check = async (
  given: string | undefined,
  options: { json?: boolean; plugins?: string },
  io: Surroundings,
): Promise<number> => {
  const checked = await checkConfiguration(
    pathOf(io, given, 'config'),
    io,
    pluginsDirOf(io, options.plugins),
  );
  const exitCode = checked.ok ? EXIT.ok : EXIT.invalid;
  if (options.json) {
    const { problems, warnings } = { problems: [], warnings: [], ...checked };
    printJson(io.out, { valid: checked.ok, problems, warnings });
    return exitCode;
  }
  if (!checked.ok) return refuse(io, exitCode, checked.problems.join('\n  '));
  for (const warning of checked.warnings) printLine(io.err, `${paint(io.err, 'yellow', '!')} ${warning}`);
  printLine(io.out, `${paint(io.out, 'green', '✔')} ${checked.label} is valid`);
  return exitCode;
};
