/** Names of everything that the tour puts into the configuration and takes out again. */
export const PREFIX = 'sluice-demo';

/** A tenant of the tour and what it asks for. */
export interface Scene {
  readonly tenant: string;
  readonly route: string;
  /** Of all requests of the tour, this part. */
  readonly share: number;
}

export const SCENES = {
  calm: { tenant: 'demo-alice', route: `${PREFIX}-orders`, share: 0.4 },
  greedy: { tenant: 'demo-bob', route: `${PREFIX}-reports`, share: 0.4 },
  spent: { tenant: 'demo-carol', route: `${PREFIX}-chat`, share: 0.2 },
} as const satisfies Record<string, Scene>;

/**
 * Parts of the tour's time. The upstream of everybody fails from `failsAt` to `recoversAt`; from `canaryAt` on some
 * edges try a configuration, for as long as it takes them to drop it.
 */
export const TIMES = {
  limitAt: 0.15,
  quotaOverAt: 0.3,
  failsAt: 0.45,
  recoversAt: 0.6,
  canaryAt: 0.7,
} as const;

export const QUOTA_LIMIT = 1000;

/** Requests a minute for each tenant: few enough that the greedy one meets the limit in time. */
export const limitFor = (rate: number, seconds: number): number =>
  Math.max(1, Math.floor(rate * SCENES.greedy.share * Math.min(60, seconds) * TIMES.limitAt));
