/** A protection of the product, how it is taken away, and the test of its guarantee that must then fail. */
export interface Protection {
  /** Row of `docs/guarantees.md`. */
  readonly row: string;
  /** What is taken away, for people. */
  readonly without: string;
  /** Path from the root; `part` stands there once. */
  readonly file: string;
  readonly part: string;
  readonly instead: string;
  /** Path from the root, and the beginning of a title in it. */
  readonly test: string;
  readonly title: string;
}
