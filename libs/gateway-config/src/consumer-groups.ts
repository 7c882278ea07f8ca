import type { Acl } from './model.ts';

/** The groups of each consumer, by the configuration's acls. A change costs only what it touches. */
export class ConsumerGroups {
  readonly #acls = new Map<string, Acl>();
  /** Groups by the id of their acl, for each consumer. */
  readonly #ofConsumer = new Map<string, Map<string, string>>();

  /** Takes over an acl; `undefined` when it was deleted. */
  put(id: string, acl: Acl | undefined): void {
    const before = this.#acls.get(id);
    if (before !== undefined) this.#drop(before);
    if (acl === undefined) return;
    this.#acls.set(id, acl);
    const groups = this.#ofConsumer.get(acl.consumer.id) ?? new Map<string, string>();
    this.#ofConsumer.set(acl.consumer.id, groups.set(id, acl.group));
  }

  /** In the order in which they came. */
  of(consumerId: string): readonly string[] {
    return [...(this.#ofConsumer.get(consumerId)?.values() ?? [])];
  }

  clear(): void {
    this.#acls.clear();
    this.#ofConsumer.clear();
  }

  #drop({ id, consumer }: Acl): void {
    this.#acls.delete(id);
    const groups = this.#ofConsumer.get(consumer.id);
    groups?.delete(id);
    if (groups?.size === 0) this.#ofConsumer.delete(consumer.id);
  }
}
