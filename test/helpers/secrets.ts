/** The one assertion that a secret value is nowhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** Fails when a secret, or its base64 or hex form, appears in a text or in any file below a folder. */
export function expectNowhere(
  secrets: readonly string[],
  places: { readonly texts?: readonly string[]; readonly folders?: readonly string[] },
): void {
  const forms = secrets.flatMap((secret) => {
    expect(secret.length, 'a secret to search for must not be empty').toBeGreaterThan(7);
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
  });
  const texts = [...(places.texts ?? []), ...(places.folders ?? []).flatMap(filesBelow)];
  for (const text of texts) {
    for (const form of forms) expect(text.includes(form), 'a secret leaked').toBe(false);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}
