/** Provider `local-issuer`: a JWT that an internal service verifies. */
import { escapeValue } from '../../base/escape.ts';
import { compareTokens } from '../diff/compare-tokens.ts';
import { kind, line, listOf, maybe, must, text } from '../schema-fields.ts';
import { words } from '../summary-text.ts';
import { compareFields } from './compare-fields.ts';
import { type ProviderPolicy, TOKEN_VARIABLE } from './descriptor.ts';

export interface LocalIssuerConfig {
  readonly provider: 'local-issuer';
  readonly audience: string;
  /** OAuth scope tokens, in the order of the map. */
  readonly scope: readonly string[];
  /** The token's `sub`; null means `capability:<name>`. */
  readonly subject: string | null;
}

/** No tool expects a name of its own for a token of the local issuer. */
export const LOCAL_DEFAULT_INJECT: Readonly<Record<string, string>> = { [TOKEN_VARIABLE]: 'token' };

const fields = {
  provider: kind('local-issuer', 'A signed token of the embedded issuer'),
  audience: must(line(), 'The service that the token is for: its `aud`'),
  scope: must(
    // RFC 6749, section 3.3: scope-token
    listOf(text(/^[!#-[\]-~]+$/, 'must be a scope word without blanks, quotes or backslashes', 256)),
    'What the token may do: its `scope`, one word per entry',
  ),
  subject: maybe(line(), 'Its `sub`; the capability by default'),
};

export const localIssuer: ProviderPolicy<typeof fields, LocalIssuerConfig> = {
  name: 'local-issuer',
  fields,
  examples: { scope: 'scope: [artifacts:read]' },
  sources: [],
  normalise: ({ provider, audience, scope, subject = null }) => ({ provider, audience, scope, subject }),
  leaseValues: ['token', 'jti', 'expires_at'],
  injectHelp: 'Child variables and the values of the lease they get; CAPWRAP_TOKEN gets the token by default',
  defaultInject: () => LOCAL_DEFAULT_INJECT,
  spellsOutInject: true,
  credentialNames: [],
  scopeWords: ({ scope }) => scope,
  target: ({ audience }) => audience,
  reach: ({ scope }) => scope,
  summaryRows: ({ audience, scope, subject }) => [
    ['audience', escapeValue(audience)],
    ['scope', words(scope)],
    ['subject', subject && escapeValue(subject)],
  ],
  proofs: () => [],
  compare: (before, after, at) =>
    compareFields<LocalIssuerConfig>(
      { audience: 'widening', subject: 'widening', scope: compareTokens },
      before,
      after,
      at,
    ),
};
