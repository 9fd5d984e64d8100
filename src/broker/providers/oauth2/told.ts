/** What is said of a token beside the answer that it came in: by its own claims, or by introspection. */
import { isJsonObject, type JsonObject } from '../../../base/json-object.ts';

/** Claims of RFC 7519, RFC 9068 and RFC 7662, as far as they are there and of their type. */
export interface Told {
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly audience: readonly string[] | null;
  readonly scope: readonly string[] | null;
  /** Unix seconds, by the server's clock. */
  readonly exp: number | null;
  readonly jti: string | null;
  /** True where the token works only with a key that goes with it (`cnf`, RFC 7800). */
  readonly bound: boolean;
}

/** The claims of a token that is a JWT; null for any other. They are not verified: they came from the issuer itself. */
export function claimsOf(token: string): Told | null {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return null;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return isJsonObject(payload) ? toldBy(payload) : null;
  } catch {
    return null;
  }
}

/** Reads claims, or the answer of an introspection. */
export function toldBy(body: JsonObject): Told {
  const { sub, client_id, aud, scope, scp, exp, jti, cnf } = body;
  return {
    subject: plain(sub),
    clientId: plain(client_id),
    audience: typeof aud === 'string' ? [aud] : texts(aud),
    scope: scopeWordsIn(scope) ?? scopeWordsIn(scp) ?? texts(scp),
    exp: typeof exp === 'number' && Number.isFinite(exp) ? exp : null,
    jti: typeof jti === 'string' && /^[\w.:~-]{1,128}$/.test(jti) ? jti : null,
    bound: isJsonObject(cnf),
  };
}

/** There are servers whose `jti` of an opaque token is the token: what goes into records must not hold it. */
export function withoutToken(told: Told, token: string): Told {
  const apart = <T>(text: string | null, other: T) => (text?.includes(token) ? other : text);
  const clientId = apart(told.clientId, 'unknown'); // somebody else than this client
  return { ...told, subject: apart(told.subject, null), clientId, jti: apart(told.jti, null) };
}

/** The words of a scope; null where there is no text. */
export function scopeWordsIn(scope: unknown): readonly string[] | null {
  return typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : null;
}

/** Text that may stand in a record. */
function plain(value: unknown): string | null {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,256}$/u.test(value) ? value : null;
}

function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
}
