import { createSecureContext, type SecureContext } from 'node:tls';
import type { CaCertificate, Certificate, Service, Sni, Upstream } from '@sluice/gateway-config';
import { type Resolve, resolveReferences } from '@sluice/routing';
import type { ClientPair } from '../upstream/health/probe.ts';
import { openUpstreamTls, type UpstreamTls } from '../upstream/upstream-tls.ts';

type Change = () => void;

interface ReadyCertificate {
  readonly pair: ClientPair;
  readonly context: SecureContext;
}

/** Certificates, the server names they are shown for, and the authorities upstreams are checked against. */
export class CertificateTable {
  readonly #certificates = new Map<string, ReadyCertificate>();
  readonly #authorities = new Map<string, string>();
  readonly #snis = new Map<string, Sni>();
  readonly #snisByName = new Map<string, Sni>();
  /** Made when first used; thrown away when any certificate changes. */
  #upstreamTls = new WeakMap<Service, UpstreamTls>();
  readonly #resolve: Resolve;

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** @throws Error naming the certificate that cannot be used. */
  prepareCertificate(id: string, certificate: Certificate | undefined): Change {
    const ready = certificate && readyCertificate(resolveReferences(certificate, this.#resolve));
    return () => {
      if (ready === undefined) this.#certificates.delete(id);
      else this.#certificates.set(id, ready);
      this.forgetUpstreamTls();
    };
  }

  putAuthority(id: string, authority: CaCertificate | undefined): void {
    if (authority === undefined) this.#authorities.delete(id);
    else this.#authorities.set(id, authority.cert);
    this.forgetUpstreamTls();
  }

  putSni(id: string, sni: Sni | undefined): void {
    const before = this.#snis.get(id);
    if (before !== undefined && this.#snisByName.get(before.name) === before)
      this.#snisByName.delete(before.name);
    if (sni === undefined) {
      this.#snis.delete(id);
      return;
    }
    const named = { ...sni, name: sni.name.toLowerCase() };
    this.#snis.set(id, named);
    this.#snisByName.set(named.name, named);
  }

  /** The certificate for a server name: exact, `*.x`, `x.*`, then `*` (kong-compat 2.6). */
  contextFor(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const dot = name.indexOf('.');
    return (
      this.#contextNamed(name) ??
      (dot === -1 ? undefined : this.#contextNamed(`*${name.slice(dot)}`)) ??
      (dot === -1 ? undefined : this.#contextNamed(`${name.slice(0, name.lastIndexOf('.'))}.*`)) ??
      this.#contextNamed('*')
    );
  }

  /** The certificate for clients that name no server: that of sni `*`. */
  defaultPair(): ClientPair | undefined {
    return this.clientPair(this.#snisByName.get('*')?.certificate.id);
  }

  /** What the edge shows as a client. */
  clientPair(certificateId: string | undefined): ClientPair | undefined {
    return certificateId === undefined ? undefined : this.#certificates.get(certificateId)?.pair;
  }

  /** What an upstream entity says about certificates has changed. */
  forgetUpstreamTls(): void {
    this.#upstreamTls = new WeakMap();
  }

  /** How connections to a service are secured; undefined for one that asks for nothing special. */
  upstreamTls(service: Service, upstream: Upstream | undefined): UpstreamTls | undefined {
    const certificateId = (service.client_certificate ?? upstream?.client_certificate)?.id;
    const { ca_certificates: authorities, tls_verify_depth: depth, tls_verify: isVerified } = service;
    if (certificateId === undefined && authorities === null && depth === null) return undefined;
    const known = this.#upstreamTls.get(service);
    if (known !== undefined) return known;
    const opened = openUpstreamTls({
      client: this.clientPair(certificateId),
      authorities: authorities?.flatMap((id) => this.#authorities.get(id) ?? []),
      isVerified: isVerified ?? false, // Kong's default
      maxDepth: depth,
    });
    this.#upstreamTls.set(service, opened);
    return opened;
  }

  #contextNamed(name: string): SecureContext | undefined {
    const sni = this.#snisByName.get(name);
    return sni && this.#certificates.get(sni.certificate.id)?.context;
  }
}

const readyCertificate = ({ id, cert, key, cert_alt, key_alt }: Certificate): ReadyCertificate => {
  const pair: ClientPair = {
    cert: cert_alt === null ? cert : [cert, cert_alt],
    key: key_alt === null ? key : [key, key_alt],
  };
  try {
    return { pair, context: createSecureContext({ ...pair, minVersion: 'TLSv1.2' }) };
  } catch (error) {
    const { code = 'unreadable' } = error as { code?: string };
    throw new Error(`certificate ${id}: cert and key cannot be used (${code}); write them as PEM`);
  }
};
