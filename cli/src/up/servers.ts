import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { natsAuthorization } from '@sluice/contracts';
import type { BusPasswords } from './bus-passwords.ts';
import type { ProcessPlan, Readiness } from './supervised.ts';

const HOST = '127.0.0.1';
const RETRY_MS = 15;
const ANSWER_WITHIN_MS = 2_000;
const STOP_WITHIN_MS = 5_000;
/** After the services: they still write while they drain. */
const STOP_PHASE = 3;

export interface ServerSetup {
  readonly binary: string;
  readonly port: number;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Sends `question` to a port and resolves with the text so far once it matches. */
const converse = async (port: number, question: string, answer: RegExp): Promise<RegExpMatchArray> => {
  const socket = connect({ port, host: HOST });
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), ANSWER_WITHIN_MS);
  try {
    await once(socket, 'connect');
    socket.write(question);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      text += chunk;
      const found = answer.exec(text);
      if (found !== null) return found;
    }
    throw new Error('closed before it answered');
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
};

const untilItAnswers = async (ask: () => Promise<Readiness>, signal: AbortSignal): Promise<Readiness> => {
  for (;;) {
    try {
      return await ask();
    } catch {
      await delay(RETRY_MS, undefined, { signal });
    }
  }
};

/** Only what nats-server 2.9.10 knows: an unknown field stops it. Payloads as in production: 1 MB. */
const natsConfig = (
  port: number,
  storeDir: string,
  passwords: BusPasswords,
) => `# Written by sluice up, with passwords for this run.
server_name: sluice-local
listen: "${HOST}:${port}"
max_payload: 1MB
jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  max_memory_store: 256MB
  max_file_store: 64GB # a ceiling for what streams reserve, not what they use
}
${natsAuthorization((user) => JSON.stringify(passwords[user]))}`;

const planOf = (
  name: string,
  { binary, dataDir, env }: ServerSetup,
  rest: Pick<ProcessPlan, 'args' | 'probe'>,
): ProcessPlan => ({
  process: name,
  instance: name,
  command: binary,
  env,
  cwd: dataDir,
  logFile: join(dataDir, 'logs', `${name}.log`),
  stopPhase: STOP_PHASE,
  stopWithinMs: STOP_WITHIN_MS,
  ...rest,
});

export const planNats = (setup: ServerSetup, passwords: BusPasswords): ProcessPlan => {
  const { port, dataDir } = setup;
  const storeDir = join(dataDir, 'nats');
  mkdirSync(storeDir, { recursive: true });
  const configFile = join(dataDir, 'nats.conf');
  writeFileSync(configFile, natsConfig(port, storeDir, passwords), { mode: 0o600 });
  const ask = async (): Promise<Readiness> => {
    // The listener opens after JetStream has recovered its streams.
    const [, version = '?'] = await converse(port, '', /^INFO \{.*"version":"([^"]+)"/);
    return { ports: { nats: port }, detail: `${version} · ${HOST}:${port} · JetStream · data ${storeDir}` };
  };
  return planOf('nats-server', setup, {
    args: ['-c', configFile],
    probe: (signal) => untilItAnswers(ask, signal),
  });
};

export const planRedis = (setup: ServerSetup): ProcessPlan => {
  const { port, dataDir } = setup;
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true });
  const ask = async (): Promise<Readiness> => {
    // While it reads its append-only file it answers -LOADING, which does not match.
    const [, version = '?'] = await converse(
      port,
      'PING\r\nINFO server\r\n',
      /^\+PONG[\s\S]*redis_version:(\S+)/,
    );
    return { ports: { redis: port }, detail: `${version} · ${HOST}:${port} · data ${dir}` };
  };
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
  return planOf('redis-server', setup, {
    args: ['--bind', HOST, '--port', `${port}`, '--dir', dir, '--daemonize', 'no', ...durable],
    probe: (signal) => untilItAnswers(ask, signal),
  });
};
