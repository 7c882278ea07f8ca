import type { Kind } from '@sluice/contracts';
import type { Path } from '../path.ts';

/** An entity where it stands in the document: as submitted, and as checked (references unresolved). */
export interface Draft {
  readonly kind: Kind;
  readonly path: Path;
  readonly parent: { readonly draft: Draft; readonly field: string } | undefined;
  readonly submitted: Readonly<Record<string, unknown>>;
  readonly entity: Record<string, unknown>;
  /** How others refer to it, once it has its id. */
  reference?: { readonly id: unknown };
}

/** One reason why a document is refused. */
export interface Violation {
  /** In the document. */
  readonly path: Path;
  readonly message: string;
  /** About one field, about several fields of an entity, or about an entity as a whole. */
  readonly scope: 'field' | 'entity' | 'whole';
  /** The entity it belongs to, where there is one. */
  readonly draft?: Draft;
  /** The names that would have been right; for suggestions. */
  readonly candidates?: readonly string[];
  /** Where Kong's error body shows it, if not at `path`: unique keys by name, references as a list. */
  readonly shownAt?: { readonly path: Path; readonly as: 'text' | 'list' };
}
