/**
 * Why a question over the bus got no answer. The caller has a policy for each:
 * `disconnected` and `no-responders` mean nobody saw the question; `timeout` that somebody may have;
 * `malformed` that the answer breaks its contract; `open` that the breaker did not ask at all;
 * `failed` that the responder says it could not decide this one.
 */
export type BusErrorKind = 'disconnected' | 'no-responders' | 'timeout' | 'malformed' | 'open' | 'failed';

export class BusError extends Error {
  readonly kind: BusErrorKind;
  readonly subject: string;
  constructor(kind: BusErrorKind, subject: string, detail?: string) {
    super(`${subject}: ${kind}${detail === undefined ? '' : ` (${detail})`}`);
    this.name = 'BusError';
    this.kind = kind;
    this.subject = subject;
  }
}
