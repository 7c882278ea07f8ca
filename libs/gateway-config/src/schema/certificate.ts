import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { entitySchema } from './entity.ts';
import { atLeastOneOf, type EntityCheck, foreign, record, string } from './field.ts';
import { checkWildcardHost, nameField } from './typedefs.ts';

/** Resolved by the process that uses it; nothing can be checked before. */
const isReference = (value: string): boolean => value.startsWith('{vault://');

const attempt = <T>(make: () => T): T | undefined => {
  try {
    return make();
  } catch {
    return undefined; // OpenSSL's message would quote the key
  }
};
const certificateOf = (pem: string) => attempt(() => new X509Certificate(pem));

const checkCertificate = (pem: string): string | undefined =>
  isReference(pem) || certificateOf(pem) ? undefined : 'invalid certificate';
const checkKey = (pem: string): string | undefined =>
  isReference(pem) || attempt(() => createPrivateKey(pem)) ? undefined : 'invalid key';

const pair = (certField: string, keyField: string): EntityCheck => ({
  fields: [certField, keyField],
  run(entity, report) {
    const { [certField]: cert, [keyField]: key } = entity;
    if (typeof cert !== 'string' || typeof key !== 'string') {
      if (cert !== key) report([], `all or none of these fields must be set: '${certField}', '${keyField}'`);
    } else if (
      !isReference(cert) &&
      !isReference(key) &&
      !certificateOf(cert)?.checkPrivateKey(createPrivateKey(key))
    )
      report([], 'certificate does not match key');
  },
});

/** kong-compat 2.6. */
export const certificateSchema = entitySchema({
  kind: 'certificates',
  cacheKey: ['cert'],
  children: { snis: 'certificate', services: 'client_certificate', upstreams: 'client_certificate' },
  fields: {
    cert: string({ required: true, check: checkCertificate }),
    key: string({ required: true, check: checkKey }),
    cert_alt: string({ check: checkCertificate }),
    key_alt: string({ check: checkKey }),
  },
  checks: [pair('cert', 'key'), pair('cert_alt', 'key_alt')],
});

const checkCa = (pem: string): string | undefined => {
  const certificate = certificateOf(pem);
  if (certificate === undefined) return 'invalid certificate';
  return certificate.ca
    ? undefined
    : 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';
};

export const caCertificateSchema = entitySchema({
  kind: 'ca_certificates',
  cacheKey: ['cert'],
  unique: ['cert_digest'],
  fields: { cert: string({ required: true, check: checkCa }), cert_digest: string() },
  prepare(submitted) {
    const certificate = typeof submitted.cert === 'string' ? certificateOf(submitted.cert) : undefined;
    if (certificate === undefined) return { ...submitted };
    return { ...submitted, cert_digest: createHash('sha256').update(certificate.raw).digest('hex') };
  },
});

export const sniSchema = entitySchema({
  kind: 'snis',
  endpointKey: 'name',
  fields: {
    name: string({ required: true, check: (name) => (name === '*' ? undefined : checkWildcardHost(name)) }),
    certificate: foreign('certificates', { required: true }),
  },
});

export const vaultSchema = entitySchema({
  kind: 'vaults',
  endpointKey: 'prefix',
  cacheKey: ['prefix'],
  fields: {
    prefix: string({
      required: true,
      check: (prefix) => (/^[a-z][a-z0-9-]*[a-z0-9]+$/.test(prefix) ? undefined : `invalid value: ${prefix}`),
    }),
    name: string({
      required: true,
      check: (name) => (name === 'env' ? undefined : `vault '${name}' is not installed`),
    }),
    description: string(),
    config: record({ prefix: string() }, { required: true }),
  },
});

export const keySetSchema = entitySchema({
  kind: 'key_sets',
  endpointKey: 'name',
  cacheKey: ['name'],
  children: { keys: 'set' },
  fields: { name: nameField({ required: true }) },
});

export const keySchema = entitySchema({
  kind: 'keys',
  endpointKey: 'name',
  cacheKey: ['kid', 'set'],
  fields: {
    set: foreign('key_sets'),
    name: nameField(),
    kid: string({ required: true }),
    jwk: string(),
    pem: record({ private_key: string(), public_key: string() }),
  },
  checks: [atLeastOneOf(['jwk', 'pem'])],
});
