/** A config of capwrap's own: YAML, with the place of every fault. */
import { LineCounter, type Node, parseDocument } from 'yaml';
import { CapwrapError } from '../errors.ts';
import type { Invalid } from './admin-nodes.ts';

/** Null where the text says nothing. Throws ERR_CONFIG_INVALID for what is no YAML: a demand that can't be understood must not be dropped. */
export function openConfig(
  text: string,
  path: string,
): { readonly contents: Node; readonly invalid: Invalid } | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2' });
  const invalid: Invalid = (offset, why) => {
    const { line, col } = lines.linePos(offset);
    return new CapwrapError('ERR_CONFIG_INVALID', `"${path}:${line}:${col}" ${why}`);
  };
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) throw invalid(fault.pos[0], 'is not valid YAML');
  return document.contents === null ? null : { contents: document.contents, invalid };
}
