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

/**
 * JSON that is safe to print: beyond what JSON asks, every control, format and separator character (U+2028, C1, bidi
 * overrides, …) is written as `\uXXXX`, so that no reader splits the line and no terminal obeys it. `space` indents.
 */
export function toJson(value: unknown, space?: number): string {
  return escapeJson(JSON.stringify(value, null, space));
}

/** The same for a line of JSON that somebody else wrote: it still says the same, as none of these stands outside of a text. */
export function escapeJson(text: string): string {
  return text.replace(UNPRINTABLE, (char) => {
    let escaped = '';
    for (let at = 0; at < char.length; at++)
      escaped += `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return escaped;
  });
}

/** All but the line ends between indented lines; JSON itself escapes those inside a value. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
