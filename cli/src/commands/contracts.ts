import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ContractBreak,
  compareContracts,
  contracts,
  describeBreak,
  toAsyncApi,
} from '@sluice/contracts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface ContractsOptions {
  readonly against?: string;
  readonly json?: boolean;
}

const RELEASED = join('libs', 'contracts', 'released', 'asyncapi.json');

const read = (file: string): { ok: true; breaks: ContractBreak[] } | { ok: false; why: string } => {
  try {
    return {
      ok: true,
      breaks: compareContracts(JSON.parse(readFileSync(file, 'utf8')), toAsyncApi(contracts)),
    };
  } catch (error) {
    return {
      ok: false,
      why: `${file} cannot be read as a release's AsyncAPI document: ${(error as Error).message}`,
    };
  }
};

/** Says what processes of this version and of a release would misunderstand; EXIT.changes when there is something. */
export const checkContracts = (options: ContractsOptions, io: Surroundings): number => {
  const file =
    options.against === undefined ? join(io.root, RELEASED) : pathOf(io, options.against, RELEASED);
  const compared = read(file);
  if (!compared.ok) return refuse(io, EXIT.environment, compared.why, options);
  const { breaks } = compared;
  if (options.json)
    printJson(io.out, { breaks: breaks.map((one) => ({ ...one, text: describeBreak(one) })) });
  else if (breaks.length === 0)
    printLine(
      io.out,
      `${paint(io.out, 'green', '✔')} ${contracts.length} contracts: every process may be replaced by itself`,
    );
  else for (const one of breaks) printLine(io.err, `${paint(io.err, 'red', '✖')} ${describeBreak(one)}`);
  if (breaks.length > 0 && !options.json)
    printLine(io.err, '  keep the subject as it was, and add one of a new version beside it');
  return breaks.length === 0 ? EXIT.ok : EXIT.changes;
};
