import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { AskError, ask } from './ask.ts';

export interface Answer<T> {
  readonly value: T | undefined;
  /** Of the last try; the value is the one before it. */
  readonly error: AskError | undefined;
  readonly again: () => void;
}

/** What a path answers, asked again every `everyMs`; undefined as path asks nothing. */
export const useAnswer = <T>(path: string | undefined, everyMs?: number): Answer<T> => {
  const [state, setState] = useState<{ path?: string; value?: T; error?: AskError }>({});
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((one) => one + 1), []);
  const timer = useRef(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    const look = async (): Promise<void> => {
      try {
        const { body } = await ask<T>(path, undefined, stop.signal);
        if (!stop.signal.aborted) setState({ path, value: body });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((before) => ({ ...(before.path === path ? before : { path }), error: asAskError(error) }));
      }
      if (everyMs !== undefined && !stop.signal.aborted)
        timer.current = window.setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer.current);
    };
  }, [path, everyMs, round]);
  const isOf = state.path === path;
  return { value: isOf ? state.value : undefined, error: isOf ? state.error : undefined, again };
};

export const asAskError = (error: unknown): AskError =>
  error instanceof AskError ? error : new AskError(0, 'unexpected', String(error));
