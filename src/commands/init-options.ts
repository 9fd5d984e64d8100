/** What `capwrap init` is asked for. */
export interface InitOptions {
  /** The map to write, or with `awsRole` the map to read. */
  readonly file?: string | undefined;
  /** Replaces a map that exists. */
  readonly force?: boolean | undefined;
  /** Prints the role of this capability instead of writing a map. */
  readonly awsRole?: string | undefined;
  readonly principal?: string | undefined;
  readonly oidcProvider?: string | undefined;
}
