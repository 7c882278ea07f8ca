import { type Bus, type Registry, startStatusServer } from '@sluice/service-kit';
import type { z } from 'zod';
import type { Settings } from './settings.ts';
import type { CounterStore } from './store.ts';

/** The status port: metrics, and what is wrong. Without Redis the edges decide alone, so that only degrades. */
export const openStatus = (
  { STATUS_HOST: host, STATUS_PORT: port }: z.output<typeof Settings>,
  { bus, store, registry }: { bus: Bus; store: CounterStore; registry: Registry },
) =>
  startStatusServer({
    ...{ host, port, metrics: registry },
    problems: () => ({
      ...(bus.isConnected ? {} : { bus: 'not connected' }),
      ...(store.problem === undefined ? {} : { '~redis': store.problem }),
    }),
  });
