/**
 * How git in the child gets the token for HTTPS: by settings in its environment (git 2.31 or newer), so that it stands in
 * no argument, no URL and no file. https://git-scm.com/docs/git-config#ENVIRONMENT and gitcredentials(7)
 */
import type { Capability } from '../../../policy/capability.ts';
import { type GitHubAddress, gitHubInject } from '../../../policy/providers/github-app/address.ts';
import type { LocalEndpoints } from '../../provider.ts';

/** Where a child's program finds the token. */
type Where = { readonly kind: 'value' | 'file'; readonly variable: string };

/**
 * The child's variables for git; null where the child gets no token under any name. They hold no secret: the helper reads
 * the variable or file in which the child has the token.
 */
export function gitEndpoints(
  capability: Pick<Capability, 'inject' | 'files'>,
  apiUrl: string,
  address: GitHubAddress,
): LocalEndpoints | null {
  const where = whereToken(capability, apiUrl);
  if (where === null) return null;
  const settings = gitSettings(address, where);
  return {
    kind: 'git_credentials',
    variables: {
      // Nobody is asked, and no other program that knows a password is.
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '',
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ]),
      ),
    },
    close: async () => {},
  };
}

function whereToken({ inject, files }: Pick<Capability, 'inject' | 'files'>, apiUrl: string): Where | null {
  const mapped = Object.keys(inject).length + Object.keys(files).length > 0;
  const nameIn = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).find(([, value]) => value === 'token')?.[0];
  const variable = nameIn(mapped ? inject : gitHubInject(apiUrl));
  if (variable !== undefined) return { kind: 'value', variable };
  const file = nameIn(files);
  return file === undefined ? null : { kind: 'file', variable: file };
}

/**
 * These come after every file of git's, so the empty ones clear what stands there for this host: helpers, which would
 * give a standing credential or store the lease's, and a header and cookies, which would go before both. An empty user
 * name and password (emptyAuth) keep curl from those of ~/.netrc, which it would show before git asks a helper. An
 * address for SSH, which would use a standing key, is turned into one for HTTPS.
 */
function gitSettings({ web, host }: GitHubAddress, where: Where): readonly (readonly [string, string])[] {
  const name = host.replace(/:\d+$/, '');
  return [
    [`credential.${web}.helper`, ''],
    [`credential.${web}.helper`, helper(where)],
    [`http.${web}/.extraHeader`, ''],
    [`http.${web}/.cookieFile`, ''],
    [`http.${web}/.emptyAuth`, 'true'],
    [`url.${web}/.insteadOf`, `git@${name}:`],
    [`url.${web}/.insteadOf`, `ssh://git@${name}/`],
  ];
}

/** A line of shell, which git starts with the word `get`, `store` or `erase` behind it. */
function helper({ kind, variable }: Where): string {
  const token = kind === 'value' ? `"$${variable}"` : `"$(cat "$${variable}")"`;
  return `!f() { test "$1" = get || exit 0; printf 'username=x-access-token\\npassword=%s\\n' ${token}; }; f`;
}
