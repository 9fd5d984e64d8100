/** A log held against all that was left of it elsewhere: heads by the million, and anchors with signatures. */
import { readForeignFile } from '../../base/foreign-file.ts';
import { systemErrorCode } from '../../errors.ts';
import { MAX_ARMORED } from '../../sshsig/signature.ts';
import type { PrincipalKey } from '../../sshsig/verify.ts';
import { findHeads } from './find.ts';
import { type CheckedLog, HeadJudge, type Judgement } from './judge.ts';
import { type AnchorSignature, judgeSignature } from './signed.ts';
import { type AnchorSource, bytesOf } from './sources.ts';
import { type Anchor, readAnchor } from './statement.ts';

export interface HoldInput {
  readonly log: CheckedLog;
  /** Checks the log once more, for heads of records that were written meanwhile. */
  readonly checkAgain: () => Promise<CheckedLog>;
  readonly sources: readonly AnchorSource[];
  readonly trusted: readonly PrincipalKey[];
  /** True where only an anchor that one of `trusted` signed is enough. */
  readonly wantsSigned: boolean;
}

export interface SignedAnchor {
  readonly from: string;
  /** Null for a line that is no anchor, or not any more. */
  readonly seq: number | null;
  readonly signature: AnchorSignature;
}

export interface Held extends Judgement {
  /** True where a head fits, signed where that is wanted, and nothing contradicts the log or could not be checked. */
  readonly ok: boolean;
  readonly sources: readonly { readonly name: string; readonly heads: number }[];
  /** The first so many. */
  readonly signatures: readonly SignedAnchor[];
  readonly badSignatures: number;
  /** Signatures that belong to no anchor on a line of its own. */
  readonly strays: number;
  /** The newest anchor that fits and that one of `trusted` signed; null for none. */
  readonly vouched: SignedAnchor | null;
}

const SHOWN_SIGNATURES = 100;

/** Reads every source once, in memory that the log bounds and the sources don't. Throws as `bytesOf`. */
export async function holdAgainst(input: HoldInput): Promise<Held> {
  const judge = new HeadJudge(input.log);
  const sources: { name: string; heads: number }[] = [];
  const signatures: SignedAnchor[] = [];
  const vouching: { anchor: Anchor; signed: SignedAnchor }[] = [];
  let badSignatures = 0;
  let strays = 0;
  const note = (anchor: Anchor | null, from: string, signature: AnchorSignature) => {
    const signed = { from, seq: anchor?.head.seq ?? null, signature };
    if (signatures.length < SHOWN_SIGNATURES) signatures.push(signed);
    if (!signature.ok) badSignatures++;
    else if (anchor !== null && signature.trusted !== null) vouching.push({ anchor, signed });
  };
  for (const source of input.sources) {
    let heads = 0;
    let unsigned: Anchor | null = null;
    for await (const found of findHeads(bytesOf(source))) {
      if (found.kind === 'head') {
        heads++;
        judge.add({ head: found.head, from: source.name });
      } else if (found.kind === 'stray_signature') {
        strays++;
      } else {
        const anchor = readAnchor(found.line);
        if (anchor === null) note(null, source.name, CHANGED);
        else if (anchor.signature === null) unsigned = anchor;
        else note(anchor, source.name, judgeSignature(anchor.statement, anchor.signature, input.trusted));
      }
    }
    const detached = unsigned && signatureBeside(source, unsigned, input.trusted);
    if (detached) note(unsigned, source.name, detached);
    sources.push({ name: source.name, heads });
  }
  const log = judge.wantsLaterLook ? await input.checkAgain() : input.log;
  const judgement = judge.settle(log);
  const vouched = newestOf(vouching.filter(({ anchor }) => log.index.has(anchor.head)));
  const contradicted = judgement.truncated ?? judgement.rewritten ?? judgement.replaced;
  const unchecked = badSignatures + strays + judgement.unjudged;
  const ok =
    judgement.matching > 0 &&
    contradicted === null &&
    unchecked === 0 &&
    sources.every(({ heads }) => heads > 0) &&
    (vouched !== null || !input.wantsSigned);
  return { ...judgement, ok, sources, signatures, badSignatures, strays, vouched };
}

const CHANGED: AnchorSignature = {
  ok: false,
  why: 'it is no anchor as capwrap audit anchor prints it, or not any more',
};

/** `FILE.sig`, as ssh-keygen leaves it beside a file that holds one anchor and nothing else; null where there is none. */
function signatureBeside(
  { path }: AnchorSource,
  { statement }: Anchor,
  trusted: readonly PrincipalKey[],
): AnchorSignature | null {
  const armored = path === null ? null : readSmall(`${path}.sig`);
  if (path === null || armored === null) return null;
  if (readSmall(path) !== statement)
    return { ok: false, why: 'the file that it is beside holds more than one anchor, or a changed one' };
  return judgeSignature(statement, armored, trusted);
}

function readSmall(path: string): string | null {
  try {
    return readForeignFile(path, MAX_ARMORED);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}

function newestOf(anchors: readonly { anchor: Anchor; signed: SignedAnchor }[]): SignedAnchor | null {
  const [newest] = anchors.toSorted((a, b) => b.anchor.head.seq - a.anchor.head.seq);
  return newest?.signed ?? null;
}
