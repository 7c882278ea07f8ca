import { entitySchema } from './entity.ts';
import { array, boolean, conditional, foreign, integer, mustBeNull, string } from './field.ts';
import { checkHost, checkPath, nameField, PROTOCOLS, portField, timeoutField } from './typedefs.ts';

const URL_PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/;

/** `url` is a shorthand for protocol, host, port and path, and wins over them. Other types: left to the checker. */
const expandUrl = (submitted: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const { url, ...rest } = submitted;
  if (url === undefined || url === null) return rest;
  if (typeof url !== 'string') return { ...rest, url };
  const [, scheme, authority = '', path] = URL_PARTS.exec(url) ?? [];
  const [, host, digits] = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  const explicit = digits === undefined || digits === '' ? undefined : Number(digits);
  const protocol = scheme ?? (explicit === 443 ? 'https' : 'http');
  const port = explicit ?? (protocol === 'https' ? 443 : 80);
  return { ...rest, protocol, host: unbracketed(host) || null, port, path: path === '' ? null : path };
};

const unbracketed = (host: string | undefined): string | undefined => host?.replace(/^\[(.*)\]$/, '$1');

const NO_PATH = new Set(['tcp', 'tls', 'udp', 'grpc', 'grpcs']);
const onlyWithTls = (target: string) =>
  conditional({
    field: 'protocol',
    when: (protocol) => protocol !== 'https' && protocol !== 'tls',
    target,
    must: mustBeNull,
  });

/** kong-compat 2.1. */
export const serviceSchema = entitySchema({
  kind: 'services',
  endpointKey: 'name',
  children: { routes: 'service', plugins: 'service' },
  prepare: expandUrl,
  fields: {
    name: nameField(),
    protocol: string({ required: true, default: 'http', oneOf: PROTOCOLS }),
    host: string({ required: true, check: checkHost }),
    port: { ...portField, required: true },
    path: string({ check: checkPath }),
    retries: integer({ default: 5, between: [0, 32_767] }),
    connect_timeout: timeoutField,
    write_timeout: timeoutField,
    read_timeout: timeoutField,
    client_certificate: foreign('certificates'),
    tls_verify: boolean(),
    tls_verify_depth: integer({ between: [0, 64] }),
    ca_certificates: array(string({ uuid: true })),
    enabled: boolean(true),
  },
  checks: [
    conditional({
      field: 'protocol',
      when: (protocol) => NO_PATH.has(String(protocol)),
      target: 'path',
      must: mustBeNull,
    }),
    ...['client_certificate', 'tls_verify', 'tls_verify_depth', 'ca_certificates'].map(onlyWithTls),
  ],
});
