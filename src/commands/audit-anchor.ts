/** `capwrap audit anchor`: the head of the log, after its chain was checked, to be kept where the log's user can't change it. */
import { resolve } from 'node:path';
import { logIdOf, siteOf } from '../audit/anchor/head.ts';
import { ANCHOR_NAMESPACE, type AnchorStatement, anchorText, signedText } from '../audit/anchor/statement.ts';
import { withBook } from '../audit/log/book.ts';
import { verifyLog } from '../audit/log/verify.ts';
import { placeOfBad, type Verification } from '../audit/log/verify-book.ts';
import { appendForeign } from '../base/append-foreign.ts';
import { escapeText } from '../base/escape.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { fingerprint } from '../sshsig/public-key.ts';
import { signWithSshKeygen } from '../sshsig/sign.ts';
import { parseSignature } from '../sshsig/signature.ts';
import type { CommandContext } from '../ui/context.ts';
import { logPathOf } from './audit-log.ts';

export interface AuditAnchorOptions {
  /** A private key, or a public one whose private key the agent holds; unsigned where it isn't given. */
  readonly key?: string | undefined;
  /** Gets the line at its end, instead of standard output. */
  readonly output?: string | undefined;
}

/**
 * Prints one line of JSON. Throws ERR_AUDIT_UNSAFE for a log that isn't whole, ERR_SIGN where the key doesn't sign, and
 * ERR_OUTPUT_WRITE where the line can't be added to the file.
 */
export async function auditAnchor(context: CommandContext, options: AuditAnchorOptions): Promise<number> {
  const { key, output } = options;
  const path = logPathOf(context);
  const statement = await statementOf(path);
  const signature = key === undefined ? null : await sign(context, statement, key);
  const line = signature === null ? anchorText(statement) : signedText(statement, signature);
  if (output === undefined) await context.out(line);
  else addTo(resolve(context.ambient.cwd, output), line.trimEnd(), path);
  if (!context.quiet) context.err(summary(statement, signature));
  return 0;
}

async function statementOf(path: string): Promise<AnchorStatement> {
  const found = await verifyLog(path);
  const time = new Date().toISOString();
  const logId = await withBook(path, logIdOf);
  const fault = faultOf(path, found) ?? (logId === null ? 'its files do not tell its id' : null);
  if (fault !== null || logId === null) {
    throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" was not anchored: ${fault}`, {
      hint: 'capwrap audit verify',
    });
  }
  return { ...siteOf(path), logId, ...found.head, records: found.records, time };
}

/** Nobody is to sign for what doesn't hold together, or isn't there. */
function faultOf(path: string, found: Verification): string | null {
  const { exists, currentMissing, firstBad, torn, records } = found;
  if (!exists) return 'there is no audit log';
  if (currentMissing) return 'its current file is missing or empty';
  if (firstBad !== null) return `${placeOfBad(path, firstBad)} is bad: ${firstBad.why}`;
  if (torn !== null) return `line ${torn.line} is torn`;
  return records === 0 ? 'it holds no record' : null;
}

function sign({ ambient }: CommandContext, statement: AnchorStatement, keyFile: string): Promise<string> {
  const message = Buffer.from(anchorText(statement));
  const { env, cwd } = ambient;
  return signWithSshKeygen({ keyFile, namespace: ANCHOR_NAMESPACE, message, env, cwd });
}

function addTo(file: string, line: string, log: string): void {
  const fault = appendForeign(file, line, { create: true, not: log });
  if (fault === null) return;
  throw new CapwrapError('ERR_OUTPUT_WRITE', `"${file}" ${fault}`, { hint: `ls -ld ${shellQuote(file)}` });
}

function summary({ records, seq }: AnchorStatement, signature: string | null): string {
  const by =
    signature === null
      ? 'not signed: whoever can change it can put another in its place'
      : `signed by ${fingerprint(parseSignature(signature).keyBlob)}`;
  return escapeText(`anchored: ${records} records, head seq=${seq}; ${by}`);
}
