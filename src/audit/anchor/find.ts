/** What a text of any size holds of a log's heads: read as a stream, and in bounded memory. */
import { headsIn, type LeftHead, LONGEST_HEAD } from './head.ts';

export type Found =
  | { readonly kind: 'head'; readonly head: LeftHead }
  /** A line that says that it is an anchor. */
  | { readonly kind: 'anchor'; readonly line: string }
  /** A signature that is in no such line. */
  | { readonly kind: 'stray_signature' };

/** Longer than any anchor. */
const LONGEST_LINE = 64 * 1024;

/** The heads in order, those of anchors included; each anchor follows the heads of its line. */
export async function* findHeads(chunks: AsyncIterable<Buffer>): AsyncGenerator<Found> {
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + chunk.toString('latin1');
    const lines = text.lastIndexOf('\n') + 1;
    const inLine = text.length - lines > LONGEST_LINE;
    const { found, end } = inPart(inLine ? text : text.slice(0, lines), inLine);
    yield* found;
    rest = text.slice(end);
  }
  yield* inPart(rest, false).found;
}

/** `open`: the text goes on, so what reaches its end is left for later. */
function inPart(text: string, open: boolean): { readonly found: readonly Found[]; readonly end: number } {
  const end = open ? Math.max(0, text.length - LONGEST_HEAD) : text.length;
  const found: Found[] = [];
  let last = 0;
  for (const { head, end: at } of headsIn(text)) {
    if (open && at === text.length) break;
    found.push({ kind: 'head', head });
    last = at;
  }
  const anchors = [...text.matchAll(ANCHOR)].map(([line]) => line);
  for (const line of anchors) found.push({ kind: 'anchor', line: Buffer.from(line, 'latin1').toString() });
  const signatures = count(text, SIGNATURE) - count(anchors.join('\n'), SIGNATURE);
  for (let stray = 0; stray < signatures; stray++) found.push({ kind: 'stray_signature' });
  return { found, end: Math.max(end, last) };
}

const ANCHOR = /^\{"capwrap_audit_anchor":.*$/gm;
const SIGNATURE = '-----BEGIN SSH SIGNATURE-----';

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
