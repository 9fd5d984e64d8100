/**
 * Secrets that the caller's own environment holds. They are not the child's and nobody asked capwrap to handle
 * them, but they may stand in an argument (`--token "$TOKEN"`) or a justification, which are shown and recorded.
 */
import { createRedactor, type Needle } from './redactor.ts';

export interface TextMask {
  /** The text with each secret replaced by `[capwrap:NAME]`. */
  mask(text: string): string;
}

/**
 * Masks the values of those of the caller's variables whose name says that they are secret. Values under 8 bytes
 * are left: they would shred ordinary text. The child's output is not concerned.
 */
export function callerSecrets(env: Readonly<Record<string, string>>): TextMask {
  const needles: Needle[] = [];
  for (const name of Object.keys(env)) {
    const bytes = SECRET_NAME.test(name) && !PLACE_NAME.test(name) ? Buffer.from(env[name] ?? '') : null;
    if (bytes !== null && bytes.length >= SHORTEST_VALUE) {
      // A name is the caller's text, too, and could say anything in the place of what it hides.
      needles.push({ bytes, name: PLAIN_NAME.test(name) ? name : 'secret' });
    }
  }
  return {
    mask(text) {
      if (needles.length === 0) return text;
      const redactor = createRedactor(needles);
      const masked = Buffer.concat([redactor.push(Buffer.from(text)), redactor.flush()]);
      return redactor.hits === 0 ? text : masked.toString();
    },
  };
}

const SHORTEST_VALUE = 8;
const PLAIN_NAME = /^[A-Za-z_]\w{0,63}$/;
const SECRET_NAME = /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY/i;
/** These say where a secret is or what it is called. */
const PLACE_NAME = /(?:_FILE|_PATH|_DIR|_URL|_URI|_ID|_NAME|_TYPE)$/i;
