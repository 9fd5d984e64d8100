/** The one assertion that a secret value is nowhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** Fails when a secret, or its base64 or hex form, appears in a text or in any file below a folder. */
export function expectNowhere(
  secrets: readonly string[],
  places: { readonly texts?: readonly string[]; readonly folders?: readonly string[] },
): void {
  const shortest = Math.min(...secrets.map(({ length }) => length));
  expect(shortest, 'a secret to search for must not be empty').toBeGreaterThan(7);
  const forms = secrets.flatMap((secret) => {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
  });
  const texts = [...(places.texts ?? []), ...(places.folders ?? []).flatMap(filesBelow)];
  const leaked = texts.some((text) => forms.some((form) => text.includes(form)));
  expect(leaked, 'a secret leaked').toBe(false);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}
