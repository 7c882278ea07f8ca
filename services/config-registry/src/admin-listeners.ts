import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueCertificate, type KeyedCertificate } from '@sluice/service-kit';
import type { FastifyInstance } from 'fastify';
import { assertGuarded } from './admin-access/binding.ts';
import type { Settings } from './settings.ts';

export interface AdminListeners {
  readonly port: number;
  /** Undefined: TLS is off. */
  readonly tlsPort: number | undefined;
  readonly close: () => Promise<void>;
}

type ListenerSettings = Pick<
  Settings,
  'ADMIN_HOST' | 'ADMIN_TOKENS' | 'ADMIN_PORT' | 'ADMIN_TLS_PORT' | 'ADMIN_TLS_CERT' | 'ADMIN_TLS_KEY'
>;

/**
 * Opens the ports of the Admin API: plain, and TLS where it is asked for.
 * @throws Error when anybody could use it, a port is taken or the certificate cannot be used, naming the setting.
 */
export const openAdminPorts = async (
  app: FastifyInstance,
  settings: ListenerSettings,
): Promise<AdminListeners> => {
  assertGuarded(settings.ADMIN_HOST, settings.ADMIN_TOKENS.length > 0);
  const pair = settings.ADMIN_TLS_PORT === undefined ? undefined : await certificateOf(settings);
  await app.listen({ host: settings.ADMIN_HOST, port: settings.ADMIN_PORT });
  const port = (app.server.address() as AddressInfo).port;
  if (pair === undefined) return { port, tlsPort: undefined, close: () => app.close() };
  const tls = createServer({ ...pair, minVersion: 'TLSv1.2' }, (request, response) =>
    app.routing(request, response),
  );
  await new Promise<void>((listening, failed) => {
    tls.once('error', failed);
    tls.listen(settings.ADMIN_TLS_PORT, settings.ADMIN_HOST, listening);
  });
  tls.on('tlsClientError', (_error, socket) => socket.destroy()); // a scanner, or too old
  return {
    port,
    tlsPort: (tls.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((done) => tls.close(done));
      tls.closeAllConnections();
      await Promise.all([closed, app.close()]);
    },
  };
};

/** The certificate of the settings, else one made for this process alone, signed by itself. */
const certificateOf = async ({
  ADMIN_TLS_CERT: certFile,
  ADMIN_TLS_KEY: keyFile,
}: ListenerSettings): Promise<KeyedCertificate> => {
  if (certFile === undefined && keyFile === undefined) {
    const { cert, key } = issueCertificate('localhost');
    return { cert, key };
  }
  if (certFile === undefined || keyFile === undefined) {
    const [missing, given] =
      certFile === undefined ? ['ADMIN_TLS_CERT', 'ADMIN_TLS_KEY'] : ['ADMIN_TLS_KEY', 'ADMIN_TLS_CERT'];
    throw new Error(`${missing} is not set but ${given} is: set both, or neither for a self-signed one`);
  }
  const [cert, key] = await Promise.all([
    readNamed('ADMIN_TLS_CERT', certFile),
    readNamed('ADMIN_TLS_KEY', keyFile),
  ]);
  return { cert, key };
};

const readNamed = async (setting: string, path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new Error(`${setting}: cannot read ${path} (${code}); name a PEM file this process may read`, {
      cause,
    });
  }
};
