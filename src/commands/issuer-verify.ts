/** `capwrap issuer verify`: a token's check as an artifact proxy would do it, with a ledger of the tokens seen. */

import { escapeText } from '../base/escape.ts';
import { ensurePrivateDir } from '../base/private-files.ts';
import {
  type IssuerFiles,
  issuerFiles,
  readJwks,
  readName,
  readRevocationList,
  required,
} from '../broker/providers/local-issuer/files.ts';
import {
  isIssuerName,
  type PublicJwk,
  parseJwks,
  parseRevocationList,
  type RevocationList,
} from '../broker/providers/local-issuer/formats.ts';
import { readPublished } from '../broker/providers/local-issuer/published.ts';
import { noteSeen } from '../broker/providers/local-issuer/seen-ledger.ts';
import { type Refusal, verifyToken } from '../broker/providers/local-issuer/verify-token.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';
import { printFacts } from './issuer-output.ts';
import { readToken } from './issuer-token-input.ts';

export interface IssuerVerifyOptions {
  /** File that holds the token; undefined or `-` means standard input. */
  readonly file?: string | undefined;
  /** The audience that the token must name; where undefined, the line says that it was not checked. */
  readonly audience?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  /** The issuer that the token must name; undefined means this machine's own. */
  readonly issuer?: string | undefined;
  /** File or URL; undefined means this machine's own issuer. Given together or not at all. */
  readonly jwks?: string | undefined;
  readonly revoked?: string | undefined;
  /** Ledger of the tokens seen; undefined or true means this machine's own, false keeps none. */
  readonly seen?: string | boolean | undefined;
  /** A token may be presented more than once until its end. */
  readonly multiUse?: boolean | undefined;
}

/** Presented for the first time; before; after its expiry or revocation; not looked up. */
type Reuse = 'none' | 'seen_before' | 'after_end' | 'unchecked';

interface Result {
  readonly status: 'valid' | 'refused';
  readonly reason: Refusal | 'reused' | 'keys_unreadable' | 'revocation_list_unreadable' | null;
  readonly jti: string | null;
  readonly reuse: Reuse;
}

/**
 * Prints one verdict and answers 0 for a valid token, 1 for a refused one. Keys or a revocation list that can't be
 * had, or not freshly, refuse every token. Throws where capwrap's own ledger can't be trusted. Never shows the token.
 */
export const issuerVerify: Command<IssuerVerifyOptions> = async (context, options) => {
  const files = issuerFiles(openStateFor(context).dir, context.ambient.uid);
  const issuer = expectedIssuer(files, options);
  const token = await readToken(options.file ?? '-');
  const result = await judge(context, files, token, issuer, options);
  await printFacts(context, 'issuer.verify', {
    ...result,
    ...(options.audience === undefined ? { audience: 'unchecked' } : {}),
  });
  return result.status === 'valid' ? 0 : 1;
};

/** Faults of the command line come before a token is waited for. */
function expectedIssuer(files: IssuerFiles, { issuer, jwks, revoked }: IssuerVerifyOptions): string {
  if ((jwks === undefined) !== (revoked === undefined)) {
    throw new CapwrapError('ERR_USAGE', '"--jwks" and "--revoked" belong together: both of one issuer', {
      hint: 'capwrap issuer verify --jwks URL/.well-known/jwks.json --revoked URL/revoked.json',
    });
  }
  const expected = issuer ?? required(readName(files));
  if (isIssuerName(expected)) return expected;
  throw new CapwrapError('ERR_USAGE', `"${expected}" is no issuer name`, {
    hint: 'capwrap issuer verify --issuer https://issuer.example.com',
  });
}

async function judge(
  context: CommandContext,
  files: IssuerFiles,
  token: string,
  issuer: string,
  options: IssuerVerifyOptions,
): Promise<Result> {
  const now = new Date();
  const keys = await published(context, options.jwks, parseJwks, () => readJwks(files), now);
  if (keys === null) return refused('keys_unreadable', null, 'unchecked');
  const list = await published(
    context,
    options.revoked,
    parseRevocationList,
    () => readRevocationList(files),
    now,
  );
  if (list === null) return refused('revocation_list_unreadable', null, 'unchecked');
  if (list.issuer !== issuer) {
    warn(context, `the revocation list is that of "${list.issuer}"`);
    return refused('revocation_list_unreadable', null, 'unchecked');
  }
  return judgeAgainst(files, token, options, { issuer, keys, list, now });
}

async function judgeAgainst(
  files: IssuerFiles,
  token: string,
  options: IssuerVerifyOptions,
  issued: { issuer: string; keys: readonly PublicJwk[]; list: RevocationList; now: Date },
): Promise<Result> {
  const { audience = null, scope = [] } = options;
  const verdict = await verifyToken(token, { ...issued, audience, scope });
  const jti = verdict.claims?.jti ?? null;
  if (verdict.status === 'refused') {
    const ended = verdict.reason === 'expired' || verdict.reason === 'revoked';
    return refused(verdict.reason, jti, ended ? 'after_end' : 'unchecked');
  }
  if (options.seen === false) return { status: 'valid', reason: null, jti, reuse: 'unchecked' };
  if (typeof options.seen !== 'string') ensurePrivateDir(files.dir, files.uid);
  const ledger = typeof options.seen === 'string' ? options.seen : files.seen;
  const { jti: id, exp } = verdict.claims;
  const before = await noteSeen(ledger, files.uid, { iss: issued.issuer, jti: id, exp }, issued.now);
  if (before && !options.multiUse) return refused('reused', jti, 'seen_before');
  return { status: 'valid', reason: null, jti, reuse: before ? 'seen_before' : 'none' };
}

/** What the issuer published at `place`, or on this machine where there is none; null with a warning that says why. */
async function published<Value>(
  context: CommandContext,
  place: string | undefined,
  parse: (text: string) => Value | null,
  readOwn: () => Value | null,
  now: Date,
): Promise<Value | null> {
  if (place === undefined) return ownDocument(context, readOwn);
  const { text, fault } = await readPublished(place, now);
  const value = text === null ? null : parse(text);
  if (value === null) warn(context, fault ?? `"${place}" is not of the documented format`);
  return value;
}

function ownDocument<Value>(context: CommandContext, readOwn: () => Value | null): Value | null {
  try {
    return required(readOwn());
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    warn(context, error.hint === undefined ? error.message : `${error.message}: ${error.hint}`);
    return null;
  }
}

function warn(context: CommandContext, message: string): void {
  context.err(`capwrap: warning: ${escapeText(message)}`);
}

function refused(reason: Result['reason'], jti: string | null, reuse: Reuse): Result {
  return { status: 'refused', reason, jti, reuse };
}
