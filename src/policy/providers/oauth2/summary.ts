/** The lines that sum up an `oauth2` capability for a reviewer. */
import { formatDuration } from '../../../base/duration.ts';
import { mapWord } from '../../map-word.ts';
import { sourceText } from '../../sources/source-text.ts';
import { pairs, type Row, row, words } from '../../summary-text.ts';
import type { Oauth2Config } from '../oauth2.ts';

/** One row for each field, null where it is not given. */
export function summaryRows(config: Oauth2Config): readonly Row[] {
  const many = (label: string, values: readonly string[]): Row => [
    label,
    values.length === 0 ? null : words(values),
  ];
  const { clientAuth, source, scope, tokenLife } = config;
  const { type, ...how } = clientAuth;
  return [
    row('issuer', config.issuer),
    row('token endpoint', config.tokenEndpoint),
    row('revocation', config.revocationEndpoint),
    row('introspection', config.introspectionEndpoint),
    row('ca file', config.caFile),
    row('grant', config.grant),
    row('client', config.clientId),
    ['client auth', [type, ...pairs(mapWords(how))].join(' ')],
    ['source', source && sourceText(source)],
    row('subject type', source && config.subjectTokenType),
    row('requested type', config.requestedTokenType),
    many('audience', config.audience),
    many('resource', config.resource),
    ['scope', scope === null ? 'whatever the server grants' : words(scope)],
    many('token audience', config.tokenAudience),
    row('subject', config.subject),
    row('token life', tokenLife === null ? null : formatDuration(tokenLife)),
    row('ttl parameter', config.ttlParameter),
    row('probe', config.probe),
  ];
}

/** The fields by the names that the map has for them. */
function mapWords(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [mapWord(name), value]));
}
