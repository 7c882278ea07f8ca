/**
 * Loaded into the processes of a measured gateway (`--import`). An edge writes how long its event loop stood still,
 * in ms, once every 50 ms, one line each, to a file named after its process.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const EVERY_MS = 50;
const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

const folder = process.env.BENCH_LOOP_DIR;
if (folder !== undefined && process.argv[1]?.includes('edge-proxy') === true) {
  const out = createWriteStream(join(folder, `${process.pid}`));
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  setInterval(() => {
    out.write(`${Date.now()} ${(delay.max / NS_PER_MS).toFixed(1)}\n`);
    delay.reset();
  }, EVERY_MS).unref();
}
