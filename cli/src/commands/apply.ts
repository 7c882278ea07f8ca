import { userInfo } from 'node:os';
import { explainRefusal, pluginsDirOf, readConfiguration } from '../configuration.ts';
import { describePush, pushConfig } from '../push-config.ts';
import { adminTokenOf, adminUrlOf } from '../run-file.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface ApplyOptions {
  readonly message?: string;
  readonly expect?: string;
  readonly admin?: string;
  readonly dataDir?: string;
  readonly plugins?: string;
  readonly json?: boolean;
}

/** Makes a folder or file the live configuration, whole or not at all. */
export const apply = async (
  given: string | undefined,
  options: ApplyOptions,
  io: Surroundings,
): Promise<number> => {
  const source = pathOf(io, given, 'config');
  const read = await readConfiguration(source, io);
  if (!read.ok) return refuse(io, EXIT.invalid, read.problems.join('\n  '), options);
  const { text, label } = read.configuration;
  const admin = adminUrlOf(io, options);
  const pushed = await pushConfig({
    ...{ admin, text, author: userInfo().username, message: options.message },
    expect: options.expect,
    token: adminTokenOf(io, options),
  });
  if (!pushed.ok && pushed.kind === 'unreachable') {
    const remedy = 'start the gateway with npm start, or give --admin';
    return refuse(io, EXIT.environment, `${pushed.message} (${remedy})`, options);
  }
  if (!pushed.ok && pushed.kind === 'unavailable')
    return refuse(io, EXIT.environment, pushed.message, options);
  if (!pushed.ok) {
    const plugins = pluginsDirOf(io, options.plugins);
    return refuse(io, EXIT.invalid, await explainRefusal(source, pushed.message, io, plugins), options);
  }
  const { generation = null, acknowledged = null } = pushed;
  if (options.json) printJson(io.out, { applied: true, admin, generation, acknowledged });
  else {
    printLine(io.out, `${paint(io.out, 'green', '✔')} applied ${label} · ${describePush(pushed)}`);
  }
  return EXIT.ok;
};
