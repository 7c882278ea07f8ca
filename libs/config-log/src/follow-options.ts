import type { ConfigCommit, Kind } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { Bus, JetStream, Logger } from '@sluice/service-kit';
import type { LastKnownGood } from './last-known-good.ts';
import type { Position } from './position.ts';

/** Why a whole state was taken instead of commits. */
export type ResyncReason = 'boot' | 'epoch' | 'behind' | 'digest' | 'missing';

/** Plain numbers for the owner's metrics, since the start of the process. */
export interface FollowerCounts {
  /** Whole states taken instead of commits. */
  readonly resyncs: Readonly<Record<ResyncReason, number>>;
  readonly gaps: number;
  readonly badDigests: number;
  /** Changes the owner threw at. */
  readonly refused: number;
  /** Messages of the log that are no commit of its chain. */
  readonly foreign: number;
  readonly directGets: number;
}

export interface FollowOptions {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  /** Kind of process, for acknowledgements: `edge-proxy`, `auth`, … */
  readonly process: string;
  readonly instance: string;
  readonly logger: Logger;
  /** What the process boots from while the bus is away; `onState` gets it before `followConfig` returns. */
  readonly initial?: LastKnownGood | undefined;
  /** Kinds the owner looks at; those beside them are not read before a commit changes them. Absent: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** What the owner serves in the place of the log's state, for acknowledgements; undefined: nothing. */
  readonly candidate?: () => string | undefined;
  /**
   * A whole new state: at boot, after a snapshot, for a new epoch. Throwing refuses it. An owner that needs time
   * returns a promise; nothing else is given to it, or acknowledged, before that is settled.
   */
  readonly onState: (state: ConfigState, at: Position) => void | Promise<void>;
  /** One commit, already applied to `state`. Throwing refuses it: the owner keeps what it has compiled. */
  readonly onCommit: (commit: ConfigCommit, state: ConfigState, at: Position) => void | Promise<void>;
}
