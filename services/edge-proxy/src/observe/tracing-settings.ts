import type { Ports } from '@sluice/plugins';
import type { Settings } from '../settings.ts';

/** What the settings say about tracing plugins, as they ask. */
export const tracingOf = ({
  TRACING_INSTRUMENTATIONS: named,
  TRACING_SAMPLING_RATE: samplingRate,
}: Pick<Settings, 'TRACING_INSTRUMENTATIONS' | 'TRACING_SAMPLING_RATE'>): Ports['tracing'] => {
  const isOff = named.length === 0 || named.includes('off');
  const isAll = named.includes('all');
  // As in Kong, the request's own span is there as soon as any is.
  return { samplingRate, has: (one) => !isOff && (isAll || one === 'request' || named.includes(one)) };
};
