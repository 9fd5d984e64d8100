/** The secrets of one run: what must not appear in any output of the child or of capwrap. */
import { formsOf } from './forms.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import { createRedactor, type Needle, type Redactor } from './redactor.ts';

export class SecretRegistry {
  readonly #needles = new Map<string, Needle>();
  readonly #tooShort = new Set<string>();
  #compiled: { readonly list: readonly Needle[]; readonly matcher: Matcher } | null = null;

  /** Masks `value` from now on as `[capwrap:NAME]`. A value registered twice keeps its first name. */
  register(name: string, value: string): void {
    const forms = formsOf(value);
    if (forms.length === 0) this.#tooShort.add(name);
    for (const { text, folds } of forms) {
      const known = this.#needles.get(text);
      if (known === undefined || (folds && !known.folds)) {
        this.#needles.set(text, { bytes: Buffer.from(text), name: known?.name ?? name, folds });
      }
    }
    this.#compiled = null;
  }

  /** The byte strings to mask, for all values registered so far. */
  needles(): readonly Needle[] {
    return this.#compile().list;
  }

  /** A masker for one stream, with the values registered so far. */
  redactor(): Redactor {
    const { list, matcher } = this.#compile();
    return createRedactor(list, matcher);
  }

  /** A text of capwrap's own (a message, an argument, a record's field) with every registered secret masked. */
  mask(text: string): string {
    if (this.#needles.size === 0) return text;
    const redactor = this.redactor();
    const masked = Buffer.concat([redactor.push(Buffer.from(text)), redactor.flush()]);
    return redactor.hits === 0 ? text : masked.toString();
  }

  /** Names of the values that are too short to be masked, each once. */
  tooShort(): readonly string[] {
    return [...this.#tooShort];
  }

  #compile() {
    if (this.#compiled === null) {
      const list = [...this.#needles.values()];
      this.#compiled = { list, matcher: createMatcher(list) };
    }
    return this.#compiled;
  }
}
