/** Rows of the error table: something is wrong with the proof, be it keys, their signature or a token. */
import { SET_CLOCK } from './clock.ts';
import { skewOf } from './error-facts.ts';
import { claims, issuer, says, skewWords, source } from './error-phrases.ts';
import type { ErrorRow } from './error-row.ts';

const KEY_UNKNOWN = ['InvalidClientTokenId', 'UnrecognizedClientException', 'InvalidAccessKeyId'];
const SIGNATURE = ['SignatureDoesNotMatch', 'InvalidSignatureException', 'IncompleteSignature'];
const CLOCK = ['RequestExpired', 'RequestTimeTooSkewed', 'RequestInTheFuture'];
const TOKEN_INVALID = ['InvalidIdentityToken', 'InvalidIdentityTokenException'];

/** From this size on a refused signature is put down to the clock (STS tolerates five minutes). */
const SIGNATURE_SKEW_SECONDS = 240;

export const PROOF_ERRORS: readonly ErrorRow[] = [
  {
    codes: ['ExpiredToken'],
    error: 'ERR_SOURCE_INVALID',
    message: (e) => `${source(e)} holds a session that has expired`,
    hint: () => 'sign in again, then repeat the command',
  },
  {
    codes: KEY_UNKNOWN,
    error: 'ERR_SOURCE_INVALID',
    message: (e) =>
      `${source(e)} holds a key that AWS does not know: deleted, disabled, of another partition, or with another session's token`,
    hint: (e) =>
      e.proof.kind === 'keys'
        ? `aws sts get-access-key-info --access-key-id ${e.proof.accessKeyId}`
        : undefined,
  },
  {
    codes: [...SIGNATURE, ...CLOCK],
    when: (e) =>
      CLOCK.includes(e.code) ||
      /Signature expired|not yet current/i.test(e.rawMessage) ||
      Math.abs(skewOf(e) ?? 0) >= SIGNATURE_SKEW_SECONDS,
    error: 'ERR_CLOCK_SKEW',
    message: (e) => `clock of this machine is ${skewWords(e)} STS, which refuses the signature for it`,
    hint: () => SET_CLOCK,
  },
  {
    codes: SIGNATURE,
    error: 'ERR_SOURCE_INVALID',
    message: (e) => `${source(e)} holds a secret access key that does not belong to its access key id`,
    hint: () => 'copy both halves of the key again, from one place',
  },
  {
    codes: ['ExpiredTokenException'],
    error: 'ERR_SOURCE_INVALID',
    message: (e) => `${source(e)} holds a token that has expired`,
    hint: () => 'fetch a fresh token right before the run',
  },
  {
    codes: TOKEN_INVALID,
    when: says(/no openidconnect provider/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) =>
      `account "${e.plan.role.account}" has no identity provider for the issuer of the token: ${claims(e)}`,
    hint: (e) => `aws iam create-open-id-connect-provider --url ${issuer(e)}`,
  },
  {
    codes: TOKEN_INVALID,
    when: says(/audience/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `token of ${source(e)} is for an audience that AWS does not expect: ${claims(e)}`,
    hint: () =>
      'set audience under source to a client id of the identity provider in IAM, mostly sts.amazonaws.com',
  },
  {
    codes: TOKEN_INVALID,
    error: 'ERR_SOURCE_INVALID',
    message: (e) => `token of ${source(e)} is not accepted by AWS: ${claims(e)}`,
    hint: () =>
      'the signature, the algorithm (RS256 to ES512) or the keys that the issuer publishes do not fit',
  },
  {
    codes: ['IDPRejectedClaim', 'IDPRejectedClaimException'],
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `token of ${source(e)} is rejected by its issuer: ${claims(e)}`,
    hint: () => 'the token may be revoked or over: fetch a fresh one right before the run',
  },
  {
    codes: ['IDPCommunicationError', 'IDPCommunicationErrorException'],
    error: 'ERR_PROVIDER_UNAVAILABLE',
    message: (e) => `issuer "${issuer(e)}" of the token could not be reached by AWS`,
    hint: () => 'run the command again; where it lasts, the issuer must be reachable from the internet',
  },
];
