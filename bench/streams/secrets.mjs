// Five credentials of 16 bytes and more, of the shapes that issuers give out. None of them is real.
import { createHash } from 'node:crypto';

export const CREDENTIALS = {
  AWS_SECRET_ACCESS_KEY: text('base64', 40, 1),
  AWS_SESSION_TOKEN: text('base64', 800, 2),
  ID_TOKEN: `eyJhbGciOiJFZERTQSJ9.${text('base64url', 420, 3)}.${text('base64url', 86, 4)}`,
  API_KEY: text('hex', 32, 5),
  // Something to escape in every language.
  PASSWORD: `p&ss "w<rd' $${text('base64', 8, 6)}+/%`,
};

/** The same, and one that overlaps itself: the worst that a search for many strings can be given. */
export const SELF_OVERLAPPING = { ...CREDENTIALS, API_KEY: `${'a'.repeat(39)}b` };

function text(encoding, length, seed) {
  let out = '';
  for (let part = 0; out.length < length; part++) {
    out += createHash('sha256').update(`${seed} ${part}`).digest().subarray(0, 30).toString(encoding);
  }
  return out.slice(0, length);
}
