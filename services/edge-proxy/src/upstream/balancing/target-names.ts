import { isIP } from 'node:net';
import type { Target as TargetEntity, Upstream } from '@sluice/gateway-config';
import type { ConnectTo } from '../target.ts';
import { splitTarget } from './peer.ts';
import type { NameResolver, ResolvedAddress } from './resolve-name.ts';

/** How soon a name that was not found is asked for again, in ms. */
const RETRY_MS = 1000;

const only = (address: string, port: number): ResolvedAddress[] => [
  { address, port, weight: undefined, name: undefined },
];

/**
 * The addresses behind one target. A name is looked up again when its records run out; what was found stays in
 * use while DNS does not answer.
 */
export class TargetAddresses {
  entity: TargetEntity;
  addresses: readonly ResolvedAddress[] = [];
  /** Resolves after the first look-up, whatever came of it; undefined when nothing is under way. */
  settled: Promise<void> | undefined;
  readonly #name: { readonly host: string; readonly srv: boolean } | undefined;
  readonly #resolver: NameResolver;
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    entity: TargetEntity,
    { use_srv_name: srv }: Pick<Upstream, 'use_srv_name'>,
    using: { resolver: NameResolver; connectTo: ConnectTo; onChange: () => void },
  ) {
    this.entity = entity;
    this.#resolver = using.resolver;
    this.#onChange = using.onChange;
    const { host, port } = splitTarget(entity);
    const elsewhere = using.connectTo.get(entity.target.toLowerCase());
    if (elsewhere !== undefined) this.addresses = only(elsewhere.host, elsewhere.port);
    else if (isIP(host) !== 0) this.addresses = only(host, port);
    else {
      this.#name = { host, srv };
      this.settled = this.#look();
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#name === undefined) return;
    const found = await this.#resolver
      .resolve(this.#name.host, this.#name)
      .catch(() => ({ addresses: undefined, ttlMs: RETRY_MS })); // shown as DNS_ERROR while there is none
    this.settled = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(), found.ttlMs);
    this.#timer.unref();
    if (found.addresses === undefined) return;
    this.addresses = found.addresses;
    this.#onChange();
  }
}
