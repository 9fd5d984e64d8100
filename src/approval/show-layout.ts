/** Texts of a request on a terminal, and how they are laid out: a label, and what is folded beside it. */
import { escapeText } from '../base/escape.ts';
import type { Binding } from './binding.ts';

const LABEL = 14;
/** With the label within 80 columns: what a terminal wraps by itself begins where labels do, and could pass for one. */
const WIDTH = 62;
const MOST_LINES = 18;
const TAIL_LINES = 3;

/** `short`: of very long text only the beginning and the end. The command is what is approved: it is shown whole. */
export function laidOut(label: string, text: string, short = true): string[] {
  const [first = '', ...rest] = short ? fold(escapeText(text)) : pieces(escapeText(text));
  return [`  ${label.padEnd(LABEL)}${first}`, ...rest.map((line) => `  ${' '.repeat(LABEL)}${line}`)];
}

/** Pieces of a line; of very long text the beginning and the end, with what is left out between them. */
export function fold(text: string): string[] {
  const lines = pieces(text);
  if (lines.length <= MOST_LINES) return lines;
  const head = lines.slice(0, MOST_LINES - TAIL_LINES - 2);
  const tail = lines.slice(-TAIL_LINES);
  const count = (part: readonly string[]) => [...part.join('')].length;
  return [
    ...head,
    `[... ${count(lines) - count(head) - count(tail)} of ${count(lines)} characters are left out;`,
    '"capwrap approvals --json" shows all ...]',
    ...tail,
  ];
}

function pieces(text: string): string[] {
  const lines = [''];
  let room = WIDTH;
  for (const char of text) {
    const columns = /[ -~]/.test(char) ? 1 : 2; // nothing takes more
    if (columns > room) {
      lines.push('');
      room = WIDTH;
    }
    lines[lines.length - 1] += char;
    room -= columns;
  }
  return lines;
}

/** As a person reads the words of a command apart. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(' ');
}

export function fileText({ path, sha256, bytes, modified }: Binding['files'][number]): string {
  return sha256 === null ? `${path} ${bytes} bytes of ${modified}, not hashed` : `${path} sha256 ${sha256}`;
}
