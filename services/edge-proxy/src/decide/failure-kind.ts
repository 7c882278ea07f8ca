import { BusError } from '@sluice/service-kit';

/** A short word for a metric about why a service gave no answer. */
export const failureKind = (error: unknown): string => (error instanceof BusError ? error.kind : 'unknown');
