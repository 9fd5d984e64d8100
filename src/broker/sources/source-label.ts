import type { Source } from '../../policy/capability.ts';

/** The source in one word for records and messages: its type and, where there is one, the name that tells it from its like. */
export function sourceLabel(source: Source): string {
  switch (source.type) {
    case 'profile':
      return `profile:${source.profile}`;
    case 'web-identity-file':
    case 'token-file':
      return `${source.type}:${source.path}`;
    case 'token-env':
      return `token-env:${source.variable}`;
    default:
      return source.type;
  }
}
