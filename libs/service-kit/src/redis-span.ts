import type { Redis } from 'ioredis';
import { CLIENT, isTraced, withSpan } from './telemetry.ts';

/**
 * Runs a script in Redis inside a client span by the database conventions. Without a recorded trace no span is made:
 * it would cost more than the call.
 */
export const withScriptSpan = <T>(redis: Redis, script: string, send: () => Promise<T>): Promise<T> => {
  if (!isTraced()) return send();
  const { host, port, db } = redis.options;
  const attributes = {
    'db.system.name': 'redis',
    'db.operation.name': 'EVALSHA',
    'db.namespace': `${db ?? 0}`,
    'db.stored_procedure.name': script,
    'server.address': host ?? '',
    'server.port': port ?? 0,
  };
  return withSpan(`EVALSHA ${script}`, { kind: CLIENT, attributes }, send);
};
