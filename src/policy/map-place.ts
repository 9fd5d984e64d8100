/** Places in the map, as a list of keys and indexes and as the text that people read. */

export type Place = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;

/** `['capabilities', 'deploy', 'rules', 0]` as `capabilities.deploy.rules[0]`; the map itself is `(map)`. */
export function formatPlace(place: Place): string {
  let text = '';
  for (const part of place) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!PLAIN_KEY.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text || '(map)';
}

/** The inverse of `formatPlace`. */
export function parsePlace(text: string): Place {
  if (text === '(map)') return [];
  return [...text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, key]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (key ?? '') : (JSON.parse(quoted) as string);
  });
}

/** The end of a place that a person looks for in the file: `branch[1]`, `role_arn`. */
export function subjectOf(place: Place): string {
  const last = place.findLastIndex((part) => typeof part === 'string');
  return last < 0
    ? 'map'
    : `${place[last]}${place
        .slice(last + 1)
        .map((index) => `[${index}]`)
        .join('')}`;
}
