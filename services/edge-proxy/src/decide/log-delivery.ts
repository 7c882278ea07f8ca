import { createSocket } from 'node:dgram';
import { appendFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { LogSink, SinkEntry, SinkSender } from '@sluice/plugins';
import type { Deliver } from './log-queue.ts';

/** Anybody may read the file, as in Kong. */
const FILE_MODE = 0o644;

type Sink<Kind extends LogSink['kind']> = Extract<LogSink, { kind: Kind }>;

/** A way to a receiver, with what has to be closed in the end. */
export interface Delivery {
  readonly deliver: Deliver;
  close(): void;
}

const lost = (what: string): Error => new Error(`${what}; it is tried again`);

const bodyOf = (sink: Sink<'http'>, entries: readonly SinkEntry[], sender: SinkSender): Buffer => {
  if (sink.compose !== undefined) return Buffer.from(sink.compose(entries, sender));
  return Buffer.from(sink.queue.maxBatchSize > 1 ? `[${entries.join(',')}]` : entries.join('\n'));
};

/** Ends a request whose connection, or whose sending, takes longer than the sink allows. */
const boundSteps = (
  request: http.ClientRequest,
  { connectTimeoutMs, sendTimeoutMs }: Pick<Sink<'http'>, 'connectTimeoutMs' | 'sendTimeoutMs'>,
): void => {
  const within = (ms: number | undefined, what: string): (() => void) => {
    if (ms === undefined || ms === 0) return () => undefined; // 0: not bounded
    const timer = setTimeout(() => request.destroy(lost(`${what} took longer than ${ms} ms`)), ms);
    request.once('close', () => clearTimeout(timer));
    return () => clearTimeout(timer);
  };
  const connected = within(connectTimeoutMs, 'connecting');
  request.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', connected);
    else connected();
  });
  request.once('finish', within(sendTimeoutMs, 'sending'));
};

const toHttp = (sink: Sink<'http'>, sender: SinkSender): Delivery => {
  const isTls = sink.url.startsWith('https:');
  // Of a connection in use the request's own bound stands in the place of this one.
  const kept = { keepAlive: true, ...(sink.keepAliveMs === undefined ? {} : { timeout: sink.keepAliveMs }) };
  const agent = isTls
    ? new https.Agent({ ...kept, rejectUnauthorized: false }) // as Kong, which has no setting for it
    : new http.Agent(kept);
  const deliver: Deliver = (entries, signal) =>
    new Promise((resolve, reject) => {
      const body = bodyOf(sink, entries, sender);
      const headers = { ...sink.headers, 'Content-Length': body.length };
      const request = (isTls ? https : http).request(sink.url, {
        agent,
        method: sink.method,
        headers,
        signal,
        timeout: sink.timeoutMs,
      });
      boundSteps(request, sink);
      request.once('timeout', () => request.destroy(lost(`no answer in ${sink.timeoutMs} ms`)));
      request.once('error', reject);
      request.once('response', (answer) => {
        answer.resume();
        answer.once('error', reject);
        answer.once('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve();
          else reject(lost(`answered with status ${answer.statusCode}`));
        });
      });
      request.end(body);
    });
  return { deliver, close: () => agent.destroy() };
};

const toFile = ({ path }: Sink<'file'>): Delivery => ({
  // Opened for every batch: a file that was rotated away is written anew without asking.
  deliver: (lines) => appendFile(path, `${lines.join('\n')}\n`, { mode: FILE_MODE }),
  close: () => undefined,
});

const openTcp = ({ host, port, tls, timeoutMs }: Sink<'tcp'>): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket =
      tls === null
        ? connect({ host, port })
        : connectTls({ host, port, servername: tls.serverName ?? host, rejectUnauthorized: false }); // as Kong
    socket.setTimeout(timeoutMs, () => socket.destroy(lost(`no connection in ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      socket.resume(); // so that the other side's end is noticed
      resolve(socket);
    });
  });

const toTcp = (sink: Sink<'tcp'>): Delivery => {
  let current: Socket | undefined;
  const open = async (): Promise<Socket> => {
    if (current?.writable === true) return current;
    const socket = await openTcp(sink);
    socket.setTimeout(sink.keepAliveMs, () => socket.end());
    socket.unref();
    current = socket;
    return socket;
  };
  const deliver: Deliver = async (lines) => {
    const socket = await open();
    await new Promise<void>((resolve, reject) => {
      const onClose = () => reject(lost('the connection was closed'));
      socket.once('close', onClose);
      socket.write(`${lines.join('\n')}\n`, (error) => {
        socket.off('close', onClose);
        if (error) reject(error);
        else resolve();
      });
    });
  };
  return { deliver, close: () => current?.end() };
};

const toUdp = ({ host, port }: Sink<'udp'>): Delivery => ({
  deliver: async (lines) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => undefined); // each send has its own answer
    try {
      for (const line of lines)
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject);
          socket.send(line, port, host, (error) => (error ? reject(error) : resolve()));
        });
    } finally {
      socket.close();
    }
  },
  close: () => undefined,
});

/** The way to a sink; connections are made when the first batch goes. */
export const deliveryTo = (sink: LogSink, sender: SinkSender): Delivery => {
  switch (sink.kind) {
    case 'http':
      return toHttp(sink, sender);
    case 'file':
      return toFile(sink);
    case 'tcp':
      return toTcp(sink);
    case 'udp':
      return toUdp(sink);
  }
};
