import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type AuditEntry, ChainVerifier, STREAMS } from '@sluice/contracts';
import { Bus, busLogin, createLogger, JetStream, readStream } from '@sluice/service-kit';
import { dataDirOf, readRunFile } from '../run-file.ts';
import { EXIT, paint, pathOf, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface AuditOptions {
  readonly nats?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

interface ListOptions extends AuditOptions {
  readonly limit?: number;
}

interface ExportOptions extends AuditOptions {
  readonly out?: string;
}

interface VerifyOptions extends AuditOptions {
  readonly file?: string;
  readonly beginsAt?: number;
  readonly expect?: string;
}

const CONNECT_WITHIN_MS = 3000;
const DEFAULT_LIMIT = 20;
const MAX_FAULTS_SHOWN = 20;
const EXPECTED = /^(\d+):([0-9a-f]{64})$/;

/** The bus, the export or the disk is at fault, not the chain. */
class Unreadable extends Error {}

interface Shown {
  readonly occurredAt: string;
  readonly actor: string;
  readonly payload: AuditEntry & { readonly sequence: number };
}

/** The newest records. */
export const list = (options: ListOptions, io: Surroundings): Promise<number> =>
  reading(options, io, async () => {
    const newest: string[] = [];
    const limit = options.limit ?? DEFAULT_LIMIT;
    await readLive(options, io, (text) => {
      newest.push(text);
      if (newest.length > limit) newest.shift();
    });
    for (const text of newest)
      if (options.json) printLine(io.out, text);
      else printLine(io.out, lineOf(JSON.parse(text) as Shown));
    if (newest.length === 0 && !options.json) printLine(io.out, 'nothing is recorded');
    return EXIT.ok;
  });

/** Every record as it is kept: what verifies here verifies there. */
export const exportAll = (options: ExportOptions, io: Surroundings): Promise<number> =>
  reading(options, io, async () => {
    const texts: string[] = [];
    await readLive(options, io, (text) => void texts.push(text));
    const whole = texts.map((text) => `${text}\n`).join('');
    if (options.out === undefined) io.out.write(whole);
    else {
      const file = pathOf(io, options.out, 'audit.ndjson');
      writeFileSync(file, whole, { mode: 0o600 });
      const said = { exported: texts.length, file };
      if (options.json) printJson(io.out, said);
      else printLine(io.out, `${paint(io.out, 'green', '✔')} ${texts.length} records in ${file}`);
    }
    return EXIT.ok;
  });

/** Says whether the chain is whole, and where it is not. */
export const verify = (options: VerifyOptions, io: Surroundings): Promise<number> =>
  reading(options, io, async () => {
    const expected = options.expect === undefined ? undefined : EXPECTED.exec(options.expect);
    if (expected === null)
      return refuse(io, EXIT.invalid, '--expect: give <sequence>:<hash> as verify prints it', options);
    const verifier = new ChainVerifier(options.beginsAt);
    let isThere = expected === undefined;
    const look = (text: string) => {
      verifier.add(jsonOf(text));
      const { sequence, hash } = verifier.head ?? {};
      if (`${sequence}` === expected?.[1] && hash === expected[2]) isThere = true;
    };
    await (options.file === undefined ? readLive(options, io, look) : readExport(options.file, io, look));
    const missing = isThere
      ? []
      : [`the record ${options.expect} is not there: the end was cut off or replaced`];
    return sayVerified(options, io, verifier, missing);
  });

const sayVerified = (
  { json }: VerifyOptions,
  io: Surroundings,
  { count, head, faults }: ChainVerifier,
  missing: readonly string[],
): number => {
  const isWhole = faults.length === 0 && missing.length === 0;
  if (json) printJson(io.out, { ok: isWhole, records: count, head: head ?? null, faults, missing });
  else if (isWhole) {
    const end = head === undefined ? '' : ` · the newest is ${head.sequence}:${head.hash}`;
    printLine(
      io.out,
      `${paint(io.out, 'green', '✔')} ${count} ${count === 1 ? 'record' : 'records'}, none edited, removed, moved or inserted${end}`,
    );
  } else {
    const said = faults.map(
      ({ sequence, place, problem }) => `record ${sequence ?? '?'} at place ${place}: ${problem}`,
    );
    for (const line of [...said, ...missing].slice(0, MAX_FAULTS_SHOWN))
      printLine(io.err, `${paint(io.err, 'red', '✖')} ${line}`);
    const more = said.length + missing.length - MAX_FAULTS_SHOWN;
    if (more > 0) printLine(io.err, `… and ${more} more`);
  }
  return isWhole ? EXIT.ok : EXIT.invalid;
};

const reading = async (
  options: AuditOptions,
  io: Surroundings,
  work: () => Promise<number>,
): Promise<number> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Unreadable) return refuse(io, EXIT.environment, error.message, options);
    throw error;
  }
};

const lineOf = ({ occurredAt, actor, payload }: Shown): string => {
  const {
    sequence,
    action,
    outcome,
    source,
    request,
    revision,
    changes,
    changesLeftOut = 0,
    message,
  } = payload;
  const what = [
    ...(revision === undefined ? [] : [`r${revision.version}`]),
    ...(request === undefined ? [] : [`${request.method} ${request.path} ${request.status}`]),
    ...(changes ?? []).slice(0, 3).map(({ op, kind, id }) => `${op} ${kind}/${id}`),
    ...((changes?.length ?? 0) + changesLeftOut > 3
      ? [`and ${(changes?.length ?? 0) + changesLeftOut - 3} more`]
      : []),
    ...(message === undefined ? [] : [`“${message}”`]),
  ];
  return `${sequence}  ${occurredAt}  ${actor}@${source.address ?? source.instance}  ${action} ${outcome}  ${what.join(' · ')}`;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the verifier says that it is no record
  }
};

const readExport = async (file: string, io: Surroundings, onText: (text: string) => void): Promise<void> => {
  const path = pathOf(io, file, 'audit.ndjson');
  try {
    for await (const line of createInterface({ input: createReadStream(path) }))
      if (line !== '') onText(line);
  } catch (error) {
    throw new Unreadable(`${path} cannot be read: ${(error as Error).message}`);
  }
};

const readLive = async (
  options: AuditOptions,
  io: Surroundings,
  onText: (text: string) => void,
): Promise<void> => {
  const url = options.nats ?? io.env.NATS_URL ?? readRunFile(dataDirOf(io, options.dataDir))?.nats;
  if (url === undefined)
    throw new Unreadable(
      'no gateway runs here: start it with npm start, or give --nats, or --file to verify',
    );
  const { NATS_USER, NATS_PASSWORD, NATS_CREDS, NATS_TLS_CA, NATS_TLS_CERT, NATS_TLS_KEY } = io.env;
  const login = busLogin({
    NATS_URL: url,
    NATS_USER,
    NATS_PASSWORD,
    NATS_CREDS,
    NATS_TLS_CA,
    NATS_TLS_CERT,
    NATS_TLS_KEY,
  });
  const logger = createLogger({ service: 'sluice', instance: 'audit', level: 'silent' });
  const bus = Bus.open({ ...login, name: 'sluice audit', part: 'operator', logger });
  try {
    await withinTime(bus.connection, `the bus at ${new URL(url).host} does not answer, or refuses the login`);
    await readStream(new JetStream(bus), STREAMS.AUDIT.name, async (deliveries) => {
      for (const { data } of deliveries) onText(Buffer.from(data).toString());
    });
  } catch (error) {
    throw error instanceof Unreadable
      ? error
      : new Unreadable(`the records cannot be read: ${(error as Error).message}`);
  } finally {
    await bus.close();
  }
};

const withinTime = async (work: Promise<unknown>, problem: string): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreadable(problem)), CONNECT_WITHIN_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
};
