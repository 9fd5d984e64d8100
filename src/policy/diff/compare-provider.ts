/** How the issuer's side of a capability changed: which credential is asked for, with which proof. */
import type { AwsStsConfig, LocalIssuerConfig, ProviderConfig, Source } from '../capability.ts';
import { formatPlace, parsePlace } from '../map-place.ts';
import type { ChangeKind, MapChange } from './change.ts';
import { compareAwsScope, compareTokens } from './compare-scope.ts';

/** The words of the map for keys that hold one value; whatever else stands there is another credential. */
type Words<Config, Compared extends keyof Config> = {
  readonly [Key in Exclude<keyof Config, Compared | 'provider'>]: string;
};

const AWS: Words<AwsStsConfig, 'scope' | 'source' | 'sessionTags'> = {
  roleArn: 'role_arn',
  region: 'region',
  endpoint: 'endpoint',
  caFile: 'ca_file',
  externalId: 'external_id',
  sourceIdentity: 'source_identity',
};
const LOCAL: Words<LocalIssuerConfig, 'scope'> = { audience: 'audience', subject: 'subject' };

/** `at` is the capability's place. */
export function compareProvider(before: ProviderConfig, after: ProviderConfig, at: string): MapChange[] {
  if (before.provider === 'aws-sts' && after.provider === 'aws-sts') {
    return [
      ...compareValues(AWS, before, after, at),
      ...compareSources(before.source, after.source, `${at}.source`),
      ...compareAwsScope(before.scope, after.scope, `${at}.scope`),
      ...compareRecord(before.sessionTags, after.sessionTags, `${at}.session_tags`, 'session_tag'),
    ];
  }
  if (before.provider === 'local-issuer' && after.provider === 'local-issuer') {
    return [
      ...compareValues(LOCAL, before, after, at),
      ...compareTokens(before.scope, after.scope, `${at}.scope`),
    ];
  }
  return [other('widening', `${at}.provider`, 'provider', before.provider, after.provider)];
}

/**
 * Names and values of which nobody here knows what they do: a tag can open a policy by being there or by being gone,
 * a variable can hold a command back. So each difference widens.
 */
export function compareRecord(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  at: string,
  code: string,
): MapChange[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name) => {
    const [older, newer] = [own(before, name), own(after, name)];
    if (older === newer) return [];
    const ends = older === null ? 'is new' : newer === null ? 'is gone' : 'has another value';
    const place = newer === null ? at : formatPlace([...parsePlace(at), name]);
    return [
      {
        kind: 'widening',
        at: place,
        code,
        message: `"${name}" in ${at} ${ends}`,
        before: older,
        after: newer,
      },
    ];
  });
}

function compareValues<Key extends string>(
  words: Readonly<Record<Key, string>>,
  before: Readonly<Record<NoInfer<Key>, string | null>>,
  after: Readonly<Record<NoInfer<Key>, string | null>>,
  at: string,
): MapChange[] {
  return (Object.entries(words) as [Key, string][]).flatMap(([key, word]) =>
    before[key] === after[key] ? [] : [other('widening', `${at}.${word}`, word, before[key], after[key])],
  );
}

/** The right to show a key without an expiry has an order; everything else of a source is exact. */
function compareSources(before: Source, after: Source, at: string): MapChange[] {
  const [older, newer] = [describeSource(before), describeSource(after)];
  const [wasAllowed, isAllowed] = [allowsLongLived(before), allowsLongLived(after)];
  const changes: MapChange[] = [];
  if (older !== newer) changes.push(other('widening', at, 'source', older, newer));
  if (wasAllowed !== isAllowed) {
    const kind = isAllowed ? 'widening' : 'narrowing';
    const words = [wasAllowed, isAllowed].map((allowed) => (allowed ? 'allow' : 'refuse'));
    changes.push(other(kind, `${at}.long_lived`, 'source_long_lived', words[0] ?? null, words[1] ?? null));
  }
  return changes;
}

function allowsLongLived(source: Source): boolean {
  return 'longLived' in source && source.longLived;
}

/** Each key with its value in JSON, so that different sources have different texts. */
function describeSource(source: Source): string {
  const { type, ...fields } = source;
  const texts = Object.entries(fields).filter(([key, value]) => key !== 'longLived' && value !== null);
  return [
    type,
    ...texts.map(([key, value]) => `${key.replace('File', '_file')}=${JSON.stringify(value)}`),
  ].join(' ');
}

function other(
  kind: ChangeKind,
  at: string,
  code: string,
  before: string | null,
  after: string | null,
): MapChange {
  return { kind, at, code, message: `"${at}" is another one`, before, after };
}

function own(record: Readonly<Record<string, string>>, name: string): string | null {
  return Object.hasOwn(record, name) ? (record[name] ?? null) : null;
}
