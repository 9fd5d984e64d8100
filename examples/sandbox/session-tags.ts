/** Session tags and the rules for them. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html */
import { invalid, members } from './sts-parameters.ts';

export interface SessionTags {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitive: readonly string[];
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** `Tags` and `TransitiveTagKeys`. */
export function readTags(parameters: ReadonlyMap<string, string>): SessionTags {
  const pairs = members(parameters, 'Tags', 'Key').map(
    (key, index) => [key, parameters.get(`Tags.member.${index + 1}.Value`)] as const,
  );
  const values = [...parameters.keys()].filter((name) => /^Tags\..*\.Value$/.test(name));
  if (values.length !== pairs.length) throw invalid('Each tag needs a Key and a Value.');
  return checkTags(
    pairs.map(([key, value]) => [key, value ?? '']),
    members(parameters, 'TransitiveTagKeys', null),
  );
}

/** The rules for tags, wherever they come from. */
export function checkTags(
  pairs: readonly (readonly [key: string, value: string])[],
  transitive: readonly string[],
): SessionTags {
  if (pairs.length > 50 || transitive.length > 50) throw invalid('A session can have at most 50 tags.');
  const keys = pairs.map(([key]) => key.toLowerCase());
  if (new Set(keys).size < keys.length) {
    throw invalid('Duplicate tag keys found. Tag keys are case insensitive.');
  }
  for (const [key, value] of pairs) {
    if (key.length < 1 || key.length > 128 || !TAG_TEXT.test(key)) throw invalid(`Invalid tag key '${key}'`);
    if (value.length > 256 || !TAG_TEXT.test(value)) throw invalid(`Invalid value of tag '${key}'`);
    if (/^aws:/i.test(key)) throw invalid(`Tag key '${key}' uses the reserved prefix aws:`);
  }
  const stray = transitive.find((key) => !keys.includes(key.toLowerCase()));
  if (stray !== undefined) throw invalid(`Transitive tag key '${stray}' is not among the tags.`);
  return { tags: Object.fromEntries(pairs), transitive };
}
