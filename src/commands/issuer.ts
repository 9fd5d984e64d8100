/** `capwrap issuer`: the embedded issuer's key, its published files, and checking its tokens. */

import { toJson } from '../base/escape.ts';
import { type IssuerFiles, issuerFiles, readJwks, required } from '../broker/providers/local-issuer/files.ts';
import { isIssuerName, liveKeys } from '../broker/providers/local-issuer/formats.ts';
import { initIssuer } from '../broker/providers/local-issuer/keys.ts';
import { unixSeconds } from '../broker/providers/local-issuer/times.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';
import { printFacts } from './issuer-output.ts';

export { issuerServe } from './issuer-serve.ts';
export { issuerVerify } from './issuer-verify.ts';

export interface IssuerInitOptions {
  /** The `iss` of every token from now on; undefined keeps the present one, or makes one. */
  readonly issuer?: string;
  /** Signs with a new key; the old one stays published until its last token is over. */
  readonly rotate?: boolean;
}

/** Creates the issuer's files, repairs what a crash left, and rotates the key where asked. Needed once per machine. */
export const issuerInit: Command<IssuerInitOptions> = async (context, options) => {
  const { issuer = null, rotate = false } = options;
  if (issuer !== null && !isIssuerName(issuer)) {
    throw new CapwrapError(
      'ERR_USAGE',
      `"${issuer}" is no issuer name: it must be a URI without query and fragment`,
      {
        hint: 'capwrap issuer init --issuer https://issuer.example.com',
      },
    );
  }
  const state = await initIssuer(filesOf(context), { issuer, rotate }, new Date());
  if (state.key === 'replaced') {
    context.err('capwrap: warning: the revocation list was gone, so every key of before was withdrawn');
  }
  await printFacts(context, 'issuer.init', {
    issuer: state.issuer,
    kid: state.kid,
    key: state.key,
    retired_keys: state.retired,
  });
  return 0;
};

/** Prints the public keys as a JWKS (RFC 7517). Throws ERR_ISSUER_NOT_READY where there are none. */
export const issuerJwks: Command<object> = async (context) => {
  const keys = liveKeys(required(readJwks(filesOf(context))), unixSeconds(new Date()));
  await context.out(`${toJson({ keys }, 2)}\n`);
  return 0;
};

function filesOf(context: CommandContext): IssuerFiles {
  return issuerFiles(openStateFor(context).dir, context.ambient.uid);
}
