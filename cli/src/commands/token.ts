import { dataDirOf, readRunFile } from '../run-file.ts';
import { EXIT, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

interface TokenOptions {
  readonly tenant: string;
  readonly user: string;
  readonly platform?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly json?: boolean;
  readonly dataDir?: string;
}

const TIMEOUT_MS = 5_000;

const formOf = ({ tenant, user, platform, ttl }: TokenOptions) => {
  const form = new URLSearchParams({ grant_type: 'client_credentials', tenant, user });
  if (platform !== undefined) form.set('platform', platform);
  if (ttl !== undefined) form.set('ttl', `${ttl}`);
  return form;
};

/** Prints a token of the demo issuer and nothing else, for `TOKEN=$(npm run -s sluice -- token …)`. */
export const token = async (options: TokenOptions, io: Surroundings): Promise<number> => {
  const dataDir = dataDirOf(io, options.dataDir);
  const issuer = readRunFile(dataDir)?.issuer;
  if (issuer === undefined || issuer === null) {
    const why = issuer === null ? 'the running gateway has no demo issuer' : `no gateway runs on ${dataDir}`;
    return refuse(io, EXIT.environment, `${why}: start one with npm start`);
  }
  try {
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: formOf(options),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = (await answer.json()) as { access_token?: string; error_description?: string };
    if (body.access_token === undefined)
      return refuse(io, EXIT.invalid, body.error_description ?? `the issuer answered ${answer.status}`);
    if (options.json) printJson(io.out, body);
    else printLine(io.out, body.access_token);
    return EXIT.ok;
  } catch {
    return refuse(
      io,
      EXIT.environment,
      `the issuer ${issuer} does not answer: start the gateway with npm start`,
    );
  }
};
