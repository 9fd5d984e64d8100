/** What the schema can't say about an `oauth2` capability. */
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import type { SoundRaw } from '../descriptor.ts';
import type { oauth2Fields } from './fields.ts';

type Sound = SoundRaw<typeof oauth2Fields>;

export function checkOauth2(raw: Sound, at: Place, report: Report): void {
  checkServer(raw, at, report);
  checkClient(raw, at, report);
  if (raw.grant === 'token-exchange') checkExchange(raw, at, report);
  if (raw.grant === 'client-credentials') checkOwn(raw, at, report);
  if (raw.ttl_parameter !== undefined && STANDARD.includes(raw.ttl_parameter)) {
    const message = `"ttl_parameter" is ${raw.ttl_parameter}, which has a meaning of its own`;
    report(
      [...at, 'ttl_parameter'],
      'wrong_value',
      message,
      'name the parameter by which this server takes a life',
    );
  }
}

function checkServer(raw: Sound, at: Place, report: Report): void {
  if (raw.issuer !== undefined && raw.token_endpoint !== undefined) {
    const message = '"token_endpoint" is discovered where there is an issuer';
    report([...at, 'token_endpoint'], 'name_clash', message, 'keep one of the two', 'key');
  }
  if (raw.issuer === undefined && raw.token_endpoint === undefined) {
    const message = '"issuer" is missing, and so is token_endpoint';
    report(at, 'missing_key', message, 'add "issuer: https://id.example.com"', 'key');
  }
}

function checkClient(raw: Sound, at: Place, report: Report): void {
  const type = raw.client_auth?.type;
  if (type === undefined) return;
  if (type !== 'none' && raw.client_id === undefined) {
    report(at, 'missing_key', `"client_id" is missing for ${type}`, 'add "client_id: capwrap"', 'key');
  }
  if (type === 'none' && raw.grant === 'client-credentials') {
    const message =
      '"client_auth" is none, and client credentials are a proof of the client (RFC 6749, section 4.4)';
    report(
      [...at, 'client_auth'],
      'wrong_value',
      message,
      'write client_auth: {type: private-key-jwt, key_file: client.pem}',
    );
  }
}

function checkExchange(raw: Sound, at: Place, report: Report): void {
  if (raw.source === undefined) {
    const fix = 'add "source: {type: github-actions, audience: https://id.example.com}"';
    report(at, 'missing_key', '"source" is missing: there is no token to exchange', fix, 'key');
  } else if (raw.source.audience === undefined) {
    // A token for anybody can be exchanged by anybody it was shown to.
    const fix = 'add to source: audience: https://id.example.com';
    report([...at, 'source'], 'missing_key', '"audience" is missing in source', fix, 'key');
  }
}

function checkOwn(raw: Sound, at: Place, report: Report): void {
  for (const key of ['source', 'subject_token_type', 'requested_token_type'] as const) {
    if (raw[key] === undefined) continue;
    const message = `"${key}" has no meaning for client credentials`;
    report([...at, key], 'source_conflict', message, 'delete it, or write "grant: token-exchange"', 'key');
  }
}

/** Parameters that capwrap sends itself, or that would make another request of this one. */
const STANDARD: readonly string[] = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'audience',
  'resource',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'token',
  'token_type_hint',
  'assertion',
  'code',
  'refresh_token',
  'username',
  'password',
];
