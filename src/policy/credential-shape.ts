/** Values that look like a credential: a map is read by many and kept in git, so none may stand in it. */

const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['an AWS access key id', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/],
  ['a GitLab token', /\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_-]{16,}/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  ['an API key', /\b(?:sk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{20,}/],
  ['a Google API key', /\bAIza[A-Za-z0-9_-]{35}/],
  ['a Google OAuth token', /\bya29\.[A-Za-z0-9_-]{20,}/],
  ['a Vault token', /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/],
  ['a package registry token', /\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|rubygems_[a-f0-9]{48})/],
  ['a private key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ['a JSON Web Token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/],
  ['a URL with a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i],
];

/** What kind of credential a value looks like, with its article (`a GitHub token`), or null. */
export function looksLikeCredential(value: string): string | null {
  return SHAPES.find(([, shape]) => shape.test(value))?.[0] ?? null;
}

/** The text with everything in it that looks like a credential replaced, for messages about it. */
export function hideCredentials(text: string): string {
  return SHAPES.reduce(
    (shown, [, shape]) => shown.replace(new RegExp(shape, `g${shape.flags}`), '(hidden)'),
    text,
  );
}
