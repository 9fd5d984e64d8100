/** A masker for one stream. */
export interface Redactor {
  /** Takes the next bytes and returns what may go out now; holds back only what can still become a match. */
  push(chunk: Uint8Array): Buffer;
  /** The held-back rest at the end of the stream. */
  flush(): Buffer;
  /** Matches replaced so far. */
  readonly hits: number;
}
