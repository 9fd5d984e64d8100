/** The part of env-ci's answer that is used; the package ships no types. */
declare module 'env-ci' {
  export interface EnvCiAnswer {
    readonly isCi: boolean;
    readonly name?: string | undefined;
    readonly service?: string | undefined;
    readonly slug?: string | undefined;
    /** For a pull request the branch that it goes to. */
    readonly branch?: string | undefined;
    /** The pull request's own branch. */
    readonly prBranch?: string | undefined;
    /** Undefined where the service does not tell pull requests apart. */
    readonly isPr?: boolean | undefined;
    readonly tag?: string | undefined;
    readonly commit?: string | undefined;
    readonly build?: string | undefined;
  }
  export default function envCi(options: {
    env: Readonly<Record<string, string | undefined>>;
    cwd: string;
  }): EnvCiAnswer;
}
