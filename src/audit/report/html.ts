/** Text and data made safe for a page. */
import { escapeText, toJson } from '../../base/escape.ts';

/** As text between tags or in a quoted attribute: what could hide or forge it is visible, and no markup is left. */
export function escapeHtml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON for a `<script type="application/json">`: no `<` is left that could end the element or begin a comment in it. */
export function scriptJson(value: unknown): string {
  return toJson(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
