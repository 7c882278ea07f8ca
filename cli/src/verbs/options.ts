import { isIP } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';

export const MAX_PORT = 65_535;

export const REDIS_SCHEMES = ['redis:', 'rediss:', 'redis+sentinel:', 'redis+cluster:'];

export const integerWithin =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };

export const ipAddress = (text: string): string => {
  if (isIP(text) !== 0) return text;
  throw new InvalidArgumentError('Give an IP address; 0.0.0.0 is every one of this machine.');
};

/** `r12` or `12`, as `r12`. */
export const revision = (text: string): string => {
  const [, digits] = /^r?(\d{1,15})$/.exec(text) ?? [];
  if (digits !== undefined) return `r${Number(digits)}`;
  throw new InvalidArgumentError('Give a version such as r12.');
};

/** `25%` as 0.25. */
export const percent = (text: string): number => {
  const value = Number(/^(\d{1,2}(?:\.\d+)?)%?$/.exec(text)?.[1]);
  if (value > 0) return value / 100;
  throw new InvalidArgumentError('Give a share above 0% and below 100%, such as 25%.');
};

/** `60s`, `5m` or `60`, in seconds. */
export const seconds = (text: string): number => {
  const [, digits, unit] = /^(\d{1,4})(s|m)?$/.exec(text) ?? [];
  const value = Number(digits) * (unit === 'm' ? 60 : 1);
  if (value >= 1 && value <= 3600) return value;
  throw new InvalidArgumentError('Give a time from 1s to 60m, such as 90s or 5m.');
};

export const tlsPort = (text: string): number | 'off' =>
  text === 'off' ? text : integerWithin(0, MAX_PORT)(text);

export const urlWith =
  (...protocols: string[]) =>
  (text: string): string => {
    // Several servers are separated by commas: the first one's scheme speaks for all.
    const [first = '', ...others] = text.split(',');
    const protocol = URL.parse(first)?.protocol;
    if (protocol !== undefined && protocols.includes(protocol) && !others.includes('')) return text;
    throw new InvalidArgumentError(
      `Give a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}.`,
    );
  };

/** Runs a verb and keeps its exit code. */
export type Act = (run: () => Promise<number>) => Promise<void>;

export const newCommand = (program: Command, name: string, summary: string) =>
  program.command(name).summary(summary).description(summary).option('--json', 'JSON instead of text');

export const natsOption = () =>
  new Option('--nats <url>', 'the bus (default: that of the running gateway)').argParser(
    urlWith('nats:', 'tls:'),
  );

export const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where the running gateway keeps its data (default: .local)');
export const adminOption = () =>
  new Option('--admin <url>', 'Admin API (default: that of the running gateway)').argParser(
    urlWith('http:', 'https:'),
  );
