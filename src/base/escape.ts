/**
 * Text made safe to show. Branch names, arguments and justifications are the caller's: control characters, ANSI
 * sequences, bidi overrides, zero-width and separator characters must not reach a terminal or split a line.
 */

// Controls, format characters (bidi, zero-width, tags), lone surrogates, line and paragraph separators, blanks without ink.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Replaces every character that could hide or forge text by its `\u{…}` form. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A value for a `key=value` line: escaped, and quoted where a blank, quote or equals sign would make it ambiguous. */
export function escapeValue(text: string): string {
  const safe = escapeText(text);
  return safe === '' || /[\s"'=\\]/.test(safe) ? `"${safe.replace(/["\\]/g, '\\$&')}"` : safe;
}
