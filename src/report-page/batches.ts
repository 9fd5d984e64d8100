/** What is drawn as one. */

/** Shapes by how they look, lane by lane from left to right. What its like covers already is not drawn again. */
export class Batches<Key> {
  readonly #lists = new Map<Key, number[]>();
  readonly #drawn = new Map<Key, { readonly y: number; readonly takes: number }>();

  /** `takes`: up to where the next one of the kind is not new. */
  isNew(key: Key, end: number, y: number, takes = end + 0.5): boolean {
    const before = this.#drawn.get(key);
    if (before?.y === y && end <= before.takes) return false;
    this.#drawn.set(key, { y, takes });
    return true;
  }

  add(key: Key, numbers: readonly number[]): void {
    const list = this.#lists.get(key);
    if (list) list.push(...numbers);
    else this.#lists.set(key, [...numbers]);
  }

  of(key: Key): readonly number[] {
    return this.#lists.get(key) ?? [];
  }
}
