import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

export interface StatusServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Registry;
  /** What is wrong, by dependency; empty means ready. Entries starting with `~` degrade without making unready. */
  readonly problems: () => Readonly<Record<string, string>>;
}

/** `/livez`, `/readyz` (503 with the reasons while not ready) and `/metrics`, on a port of their own. */
export const startStatusServer = async (
  options: StatusServerOptions,
): Promise<{ port: number; app: FastifyInstance }> => {
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/livez', () => ({ status: 'ok' }));
  const readiness = (reply: { code(status: number): unknown }) => {
    const problems = options.problems();
    const blocking = Object.keys(problems).some((name) => !name.startsWith('~'));
    if (blocking) reply.code(503);
    const named = Object.fromEntries(
      Object.entries(problems).map(([name, why]) => [name.replace(/^~/, ''), why]),
    );
    return {
      status: blocking ? 'not ready' : Object.keys(named).length > 0 ? 'degraded' : 'ready',
      problems: named,
    };
  };
  app.get('/readyz', (_request, reply) => readiness(reply));
  app.get('/healthz', (_request, reply) => readiness(reply));
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics.metrics()),
  );
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : options.port, app };
};
