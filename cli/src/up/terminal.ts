import { paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import type { Exit, ProcessPlan, Readiness } from './supervised.ts';

/** The last line of a start: other tools read it. */
export interface ReadyLine {
  readonly proxy: string;
  readonly admin: string;
  /** The same by TLS; undefined: off. */
  readonly proxyTls?: string | undefined;
  readonly adminTls?: string | undefined;
  readonly nats: string;
  readonly redis: string;
  readonly pids: Readonly<Record<string, readonly number[]>>;
}

/** Where a run tells what happens: lines for a person or JSON for a program. */
export interface Terminal {
  begin(version: string, isDemo: boolean): void;
  /** Something slow begins. */
  note(text: string): void;
  part(plan: ProcessPlan, pid: number, readiness: Readiness): void;
  /** A server of the operator's, or the configuration. */
  other(name: string, detail: string): void;
  restarted(plan: ProcessPlan, pid: number): void;
  exited(plan: ProcessPlan, pid: number | undefined, exit: Exit, retryMs: number | undefined): void;
  logLine(instance: string, level: string, text: string): void;
  ready(line: ReadyLine, elapsedMs: number): void;
}

const NAME_WIDTH = 16;

const wayOut = ({ code, signal }: Exit): string =>
  signal === null
    ? code === null
      ? 'could not be run'
      : `exited with code ${code}`
    : `was ended by ${signal}`;

const textTerminal = ({ out, err, root }: Surroundings): Terminal => {
  const ok = paint(out, 'green', '✔');
  const warning = paint(err, 'yellow', '!');
  const shorten = (text: string) => text.replaceAll(`${root}/`, '');
  const line = (name: string, detail: string) =>
    printLine(out, `  ${ok} ${name.padEnd(NAME_WIDTH)} ${shorten(detail)}`.trimEnd());
  return {
    begin: (version, isDemo) => {
      const mode = isDemo ? ' · demo mode (nothing leaves 127.0.0.1)' : '';
      printLine(out, `  sluice ${version} · node ${process.version}${mode}`);
    },
    note: (text) => printLine(err, `  ${paint(err, 'dim', text)}`),
    part: ({ process: name }, pid, { detail }) =>
      line(name, [detail, `pid ${pid}`].filter(Boolean).join(' · ')),
    other: line,
    restarted: ({ instance }, pid) => printLine(out, `  ${ok} ${instance} is back (pid ${pid})`),
    exited: ({ instance, logFile }, pid, exit, retryMs) => {
      const next = retryMs === undefined ? 'it stays down' : `starting it again in ${retryMs} ms`;
      const who = pid === undefined ? instance : `${instance} (pid ${pid})`;
      printLine(err, `  ${warning} ${who} ${wayOut(exit)}: ${next}; log in ${shorten(logFile)}`);
    },
    logLine: (instance, level, text) => printLine(err, `  ${warning} ${instance} ${level}: ${text}`),
    ready: ({ proxy, admin, proxyTls, adminTls }, elapsedMs) => {
      const seconds = (elapsedMs / 1000).toFixed(1);
      const both = (plain: string, tls: string | undefined) =>
        tls === undefined ? plain : `${plain}  ${tls}`;
      printLine(out, `  Proxy  ${both(proxy, proxyTls)}`);
      printLine(out, `  Admin  ${both(admin, adminTls)}`);
      printLine(out, `  Stop   Ctrl-C (stops what was started here, nothing else)`);
      printLine(out, `  ready ${paint(out, 'dim', `in ${seconds} s`)}`);
    },
  };
};

const jsonTerminal = ({ out }: Surroundings): Terminal => ({
  begin: (version, isDemo) =>
    printJson(out, { event: 'begin', version, node: process.version, demo: isDemo }),
  note: (text) => printJson(out, { event: 'note', text }),
  part: ({ process: name, instance }, pid, { ports, detail }) =>
    printJson(out, { event: 'started', process: name, instance, pid, ports, detail }),
  other: (name, detail) => printJson(out, { event: 'using', name, detail }),
  restarted: ({ process: name, instance }, pid) =>
    printJson(out, { event: 'restarted', process: name, instance, pid }),
  exited: ({ process: name, instance }, pid, { code, signal }, retryMs) =>
    printJson(out, { event: 'exited', process: name, instance, pid, code, signal, retryMs }),
  logLine: () => {}, // a program reads the files
  ready: ({ proxy, admin, proxyTls, adminTls, nats, redis, pids }) =>
    printJson(out, { event: 'ready', proxy, admin, proxyTls, adminTls, nats, redis, pids }),
});

export const openTerminal = (io: Surroundings, isJson: boolean): Terminal =>
  isJson ? jsonTerminal(io) : textTerminal(io);
