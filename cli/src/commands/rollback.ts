import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { describePush } from '../push-config.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface RollbackOptions extends AdminOptions {
  readonly message?: string;
  /** As `r12`: refused where another version is in force. */
  readonly expect?: string;
}

/** Makes what an earlier version was the live configuration, as a new version. */
export const rollback = async (
  version: string,
  { message, expect, ...options }: RollbackOptions,
  io: Surroundings,
): Promise<number> => {
  const answer = await readAdmin<unknown>(options, io, '/sluice/rollback', {
    method: 'POST',
    body: JSON.stringify({ version, ...(message === undefined ? {} : { message }) }),
    ...(expect === undefined ? {} : { headers: { 'x-sluice-expected-generation': expect } }),
  });
  if (!answer.ok) return refuse(io, answer.exitCode, answer.why, options);
  const generation = answer.header('x-sluice-generation');
  const acknowledged = answer.header('x-sluice-acknowledged');
  if (options.json)
    printJson(io.out, {
      rolledBackTo: version,
      generation: generation ?? null,
      acknowledged: acknowledged ?? null,
    });
  else
    printLine(
      io.out,
      `${paint(io.out, 'green', '✔')} back to ${version} · ${describePush({ ok: true, generation, acknowledged })}`,
    );
  return EXIT.ok;
};
