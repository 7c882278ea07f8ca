import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends what `sluice up` started when `sluice up` itself was killed with SIGKILL. NATS and Redis cannot watch us and
 * a stopped service does not, so a shell of a megabyte does: its standard input closes when we are gone. Each
 * process leads its own group, hence the minus; one that only waits for its parent to look (Z) has ended.
 */
const SCRIPT = `
set=""
while read -r verb pid; do
  case $verb in
    add) set="$set $pid" ;;
    drop) rest=""; for p in $set; do [ "$p" = "$pid" ] || rest="$rest $p"; done; set=$rest ;;
    leave) exit 0 ;;
  esac
done
for p in $set; do kill -s TERM -- "-$p"; kill -s CONT -- "-$p"; done 2>/dev/null
tenths=0
while [ $tenths -lt 50 ]; do
  alive=""
  for p in $set; do
    kill -s 0 "$p" || continue
    case $(cat "/proc/$p/stat") in *") Z "*) ;; *) alive=1 ;; esac
  done 2>/dev/null
  [ -z "$alive" ] && break
  sleep 0.1
  tenths=$((tenths + 1))
done
for p in $set; do kill -s KILL -- "-$p"; done 2>/dev/null
`;

export class Guard {
  readonly #shell: ChildProcess;

  constructor() {
    // Its own session: a signal to our process group must not take the guard away with us.
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'sluice-guard'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#shell.on('error', () => {}); // without a shell the services still watch their channel
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  get pid(): number | undefined {
    return this.#shell.pid;
  }

  add(pid: number): void {
    this.#shell.stdin?.write(`add ${pid}\n`);
  }

  drop(pid: number): void {
    this.#shell.stdin?.write(`drop ${pid}\n`);
  }

  leave(): void {
    this.#shell.stdin?.end('leave\n');
  }
}
