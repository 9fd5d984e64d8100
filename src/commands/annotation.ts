/** Annotations of GitHub Actions. */
import { escapeText } from '../base/escape.ts';

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly title: string;
  /** Lines of text; each is escaped. */
  readonly lines: readonly string[];
}

/**
 * A workflow command, one line, that nothing in it can break out of:
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
 */
export function annotation({ level, file, line, column, title, lines }: Annotation): string {
  const place = `file=${property(file)},line=${line},col=${column},title=${property(title)}`;
  return `::${level} ${place}::${data(lines.map(escapeText).join('\n'))}\n`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
