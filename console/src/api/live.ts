import { useEffect, useState } from 'preact/hooks';
import type { LiveView } from './answers.ts';
import { ask } from './ask.ts';

/** Three minutes. */
const KEPT_POINTS = 180;
/** So long without a message, and what is shown is old. */
const SILENT_AFTER_MS = 4000;

export interface Live {
  readonly view: LiveView | undefined;
  /** The oldest first. */
  readonly points: readonly LiveView[];
  readonly isSilent: boolean;
}

let now: Live = { view: undefined, points: [], isSilent: false };
const watchers = new Set<(live: Live) => void>();

const tell = (next: Partial<Live>): void => {
  now = { ...now, ...next };
  for (const watcher of watchers) watcher(now);
};

/** Follows the feed until the function that it returns is called. */
export const followLive = (): (() => void) => {
  const source = new EventSource('/sluice/live');
  let timer = 0;
  const expectMore = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => tell({ isSilent: true }), SILENT_AFTER_MS);
  };
  // The browser does not tell why: asking for the session does.
  const lookAfterSession = () => void ask('/sluice/session').catch(() => {});
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const view = JSON.parse(data) as LiveView;
    tell({ view, points: [...now.points, view].slice(-KEPT_POINTS), isSilent: false });
    expectMore();
  };
  source.addEventListener('over', lookAfterSession);
  source.onerror = lookAfterSession;
  expectMore();
  return () => {
    clearTimeout(timer);
    source.close();
    tell({ view: undefined, points: [], isSilent: false });
  };
};

export const useLive = (): Live => {
  const [live, setLive] = useState(now);
  useEffect(() => {
    watchers.add(setLive);
    setLive(now);
    return () => void watchers.delete(setLive);
  }, []);
  return live;
};
