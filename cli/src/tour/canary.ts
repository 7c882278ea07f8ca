import { setTimeout as delay } from 'node:timers/promises';
import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import type { Surroundings } from '../surroundings.ts';

/** How a configuration that some edges tried ended; or why none did. */
export type Tried =
  | { wasTried: true; edges: readonly string[]; reason: string }
  | { wasTried: false; why: string };

interface Canary {
  readonly edges: readonly string[];
  readonly phase: 'starting' | 'running' | 'promoted' | 'rolled-back';
  readonly reason: string | null;
}
interface Answer {
  readonly canary: Canary | null;
}

const LOOK_EVERY_MS = 500;
const MESSAGE = 'sluice demo: the upstream moves to a port where everything fails';

/** Has some edges try the live configuration with another port for the upstream, until it is dropped. */
export const tryBadPort = async (
  options: AdminOptions,
  io: Surroundings,
  { port, badPort, signal }: { port: number; badPort: number; signal: AbortSignal },
): Promise<Tried> => {
  const live = await readAdmin<{ config: string }>(options, io, '/config');
  if (!live.ok) return { wasTried: false, why: live.why };
  // The port is one that this process listens on: no other service has it.
  const config = live.value.config.replaceAll(new RegExp(`^( *)port: ${port}$`, 'gm'), `$1port: ${badPort}`);
  const body = JSON.stringify({ config, share: 0.5, message: MESSAGE });
  const begun = await readAdmin<Answer>(options, io, '/sluice/canary', { method: 'POST', body });
  if (!begun.ok) return { wasTried: false, why: begun.why };
  for (;;) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      await readAdmin<Answer>(options, io, '/sluice/canary', { method: 'DELETE' });
      return { wasTried: false, why: 'it was stopped' };
    }
    const now = await readAdmin<Answer>(options, io, '/sluice/canary');
    if (!now.ok) return { wasTried: false, why: now.why };
    const { canary } = now.value;
    if (canary?.phase === 'rolled-back')
      return { wasTried: true, edges: canary.edges, reason: canary.reason ?? '' };
    if (canary === null || canary.phase === 'promoted')
      return { wasTried: false, why: 'the registry that tried it is gone' };
  }
};
