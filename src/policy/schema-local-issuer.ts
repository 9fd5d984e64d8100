/** Fields of the provider `local-issuer`: a JWT that an internal service verifies. */
import * as v from 'valibot';
import { kind, line, listOf, mapping, maybe, must, oneOf, text, variable } from './schema-fields.ts';

const LOCAL_LEASE_VALUES = ['token', 'jti', 'expires_at'] as const;

export const localIssuerFields = {
  provider: kind('local-issuer', 'A signed token of the embedded issuer'),
  audience: must(line(), 'The service that the token is for: its `aud`'),
  scope: must(
    // RFC 6749, section 3.3: scope-token
    listOf(text(/^[!#-[\]-~]+$/, 'must be a scope word without blanks, quotes or backslashes', 256)),
    'What the token may do: its `scope`, one word per entry',
  ),
  subject: maybe(line(), 'Its `sub`; the capability by default'),
  inject: maybe(
    mapping(v.record(variable, oneOf(...LOCAL_LEASE_VALUES)), 'Variable and the value it gets'),
    'Child variables and the values of the lease they get; CAPWRAP_TOKEN gets the token by default',
  ),
};
