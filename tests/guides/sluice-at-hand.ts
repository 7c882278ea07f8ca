import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { typeSluice } from '../command-line.ts';

export interface AtHandProps {
  /** Where an answer lies until the shell has read it. */
  readonly folder: string;
  /** What command lines take for the clone. */
  readonly root: string;
}

/** Answers command lines of a shell in this process: as processes of their own they would load for half a minute. */
export class SluiceAtHand implements AsyncDisposable {
  readonly #server: Server;
  readonly #props: AtHandProps;
  #answered = 0;

  private constructor(props: AtHandProps) {
    this.#props = props;
    this.#server = createServer((socket) => this.#listen(socket));
  }

  static async start(props: AtHandProps): Promise<SluiceAtHand> {
    const atHand = new SluiceAtHand(props);
    atHand.#server.listen(0, '127.0.0.1');
    await once(atHand.#server, 'listening');
    return atHand;
  }

  /** The command as a script of bash. */
  get script(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `exec 3<>/dev/tcp/127.0.0.1/${port}
printf '%s\\n' "$#" "$@" >&3
read -r place code <&3
cat "$place.out"; cat "$place.err" >&2
exit "$code"`;
  }

  /** The number of words, then each on a line. */
  #listen(socket: Socket): void {
    let heard = '';
    socket.on('error', () => undefined); // a shell that was ended does not wait for its answer
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      const [count = '', ...words] = heard.split('\n').slice(0, -1);
      if (count !== '' && words.length === Number(count)) void this.#answer(words, socket);
    });
  }

  async #answer(words: readonly string[], socket: Socket): Promise<void> {
    this.#answered += 1;
    const { folder, root } = this.#props;
    const place = join(folder, `answer-${this.#answered}`);
    const { code, out, err } = await typeSluice(words, root);
    writeFileSync(`${place}.out`, out);
    writeFileSync(`${place}.err`, err);
    socket.end(`${place} ${code}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
