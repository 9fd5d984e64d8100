/** JSON objects as they come from elsewhere: every field is unknown. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Lists pass for objects in JavaScript; they are none in JSON. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object in `text`; null where it is anything else. What a parser says would quote it. */
export function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The same of bytes, which must be UTF-8. */
export function objectInBytes(bytes: Uint8Array): JsonObject | null {
  try {
    return objectIn(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
