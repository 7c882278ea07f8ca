import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pluginsDirOf } from '../configuration.ts';
import { describeLine, padStatus, type Status, totalsOf } from '../import/report.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

export interface ImportOptions {
  readonly out?: string;
  readonly plugins?: string;
  readonly json?: boolean;
}

const COLOURS = { mapped: 'green', changed: 'yellow', unsupported: 'red' } as const satisfies Record<
  Status,
  string
>;

const readSource = (file: string): { text: string } | { problem: string } => {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { problem: `${file} cannot be read: ${(error as Error).message}` };
  }
};

/** Makes a configuration for this gateway out of Kong's, and says what became of each part. */
export const importFrom = async (file: string, options: ImportOptions, io: Surroundings): Promise<number> => {
  const source = readSource(resolve(io.cwd, file));
  if ('problem' in source) return refuse(io, EXIT.invalid, source.problem, options);
  const { parseConfigText, writeYaml } = await import('@sluice/gateway-config');
  const { PluginFolder } = await import('@sluice/plugins');
  const { importKong } = await import('../import/import-kong.ts');
  const parsed = parseConfigText(source.text);
  if (!parsed.ok) {
    const { line = 1, column = 1 } = parsed.position ?? {};
    return refuse(io, EXIT.invalid, `${file}:${line}:${column}  ${parsed.message}`, options);
  }
  const catalog = await PluginFolder.open(pluginsDirOf(io, options.plugins));
  const { document, lines } = importKong(parsed.value, { catalog, env: io.env });
  if (options.out !== undefined) {
    const header = `# Written by sluice import kong from ${basename(file)}.\n`;
    const isJson = options.out.endsWith('.json');
    const text = isJson ? `${JSON.stringify(document, null, 2)}\n` : `${header}${writeYaml(document)}`;
    writeFileSync(resolve(io.cwd, options.out), text, { mode: 0o600 }); // it may hold keys
  }
  const totals = totalsOf(lines);
  const exitCode = totals.unsupported === 0 ? EXIT.ok : EXIT.invalid;
  if (options.json) {
    printJson(io.out, { lines, totals, out: options.out ?? null });
    return exitCode;
  }
  for (const line of lines)
    printLine(io.out, `${paint(io.out, COLOURS[line.status], padStatus(line.status))}${describeLine(line)}`);
  const { mapped, changed, unsupported } = totals;
  printLine(io.out, `${mapped} mapped, ${changed} changed, ${unsupported} unsupported`);
  if (options.out !== undefined) printLine(io.err, `${paint(io.err, 'green', '✔')} wrote ${options.out}`);
  return exitCode;
};
