import tls from 'node:tls';

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, continuation: 9 };
export const END_STREAM = 1;
export const END_HEADERS = 4;
const FRAME_HEAD = 9;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** `:status: 200` in HPACK's static table. */
const STATUS_200 = 0x88;

export type Lines = readonly (readonly [name: string, value: string])[];

/** Bytes that no library would send. */
export const frame = (type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
};

/** Literals without an index and without Huffman's code: every byte as it is. */
export const block = (lines: Lines): Buffer =>
  Buffer.concat(lines.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1');
  const length = [Math.min(127, bytes.length)];
  for (let rest = bytes.length - 127; rest >= 0; rest = rest < 128 ? -1 : rest >> 7)
    length.push(rest < 128 ? rest : (rest & 127) | 128);
  return Buffer.concat([Buffer.from(length), bytes]);
};

export interface Exchanged {
  /** Streams that were answered with 200. */
  readonly passed: number[];
  /** Streams that were answered or reset, and 0 for the whole connection. */
  readonly ended: number[];
}

/** Sends frames on a connection of its own until `until` is true of what came back, or the other side closes. */
export const sendFrames = (
  port: number,
  frames: Iterable<Buffer>,
  until: (seen: Exchanged) => boolean,
): Promise<Exchanged> =>
  new Promise((resolve) => {
    const seen: Exchanged = { passed: [], ended: [] };
    let bytes: Buffer = Buffer.alloc(0);
    const rest = frames[Symbol.iterator]();
    const socket = tls.connect(
      { port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false },
      () => {
        socket.write(PREFACE);
        socket.write(frame(FRAME.settings, 0, 0));
        more();
      },
    );
    const more = (): void => {
      for (let next = rest.next(); !next.done && !socket.destroyed; next = rest.next())
        if (!socket.write(next.value)) return void socket.once('drain', () => setImmediate(more));
    };
    socket.on('data', (chunk: Buffer) => {
      bytes = takeFrames(Buffer.concat([bytes, chunk]), seen);
      if (until(seen)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(seen));
  });

/** @returns the bytes of a frame that is not whole yet. */
const takeFrames = (bytes: Buffer, { passed, ended }: Exchanged): Buffer => {
  let left = bytes;
  while (left.length >= FRAME_HEAD) {
    const length = left.readUIntBE(0, 3);
    if (left.length < FRAME_HEAD + length) break;
    const [type, id] = [left[3], left.readUInt32BE(5)];
    if (type === FRAME.headers && left[FRAME_HEAD] === STATUS_200) passed.push(id);
    if (type === FRAME.headers || type === FRAME.reset || type === FRAME.goAway) ended.push(id);
    left = left.subarray(FRAME_HEAD + length);
  }
  return left;
};
