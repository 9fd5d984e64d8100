/** Source `local-issuer`: a token of the embedded issuer, signed for one exchange. */
import { kind, line, maybe, must } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';

export interface LocalIssuerSource {
  readonly type: 'local-issuer';
  readonly audience: string;
  /** The token's `sub`; null means `capwrap`. */
  readonly subject: string | null;
}

const fields = {
  type: kind('local-issuer', 'A token of the embedded issuer, whose key the server trusts'),
  audience: must(line(), 'The server that exchanges the token: its `aud`'),
  subject: maybe(line(), 'Its `sub`; capwrap by default'),
};

export const localIssuer: SourcePolicy<typeof fields, LocalIssuerSource> = {
  type: 'local-issuer',
  fields,
  holds: 'token',
  normalise: (raw) => ({ type: raw.type, audience: raw.audience, subject: raw.subject ?? null }),
  label: (source) => source.type,
};
