import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseRemoteUrl } from '../../src/request/git/remote-url.ts';

describe('URLs that name a repository', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['https://github.com/acme/web-app.git', 'acme/web-app', 'github.com'],
    ['https://github.com/acme/web-app', 'acme/web-app', 'github.com'],
    ['https://github.com/acme/web-app/', 'acme/web-app', 'github.com'],
    ['https://github.com/acme/web-app.git/', 'acme/web-app', 'github.com'],
    ['HTTPS://user:pass@gitlab.example.com:8443/group/sub/app.git', 'group/sub/app', 'gitlab.example.com'],
    ['https://token@github.com/acme/app', 'acme/app', 'github.com'],
    ['ssh://git@github.com/acme/app.git', 'acme/app', 'github.com'],
    ['ssh://git@host:2222/acme/app.git', 'acme/app', 'host'],
    ['ssh://git@[2001:db8::1]:22/acme/app', 'acme/app', '[2001:db8::1]'],
    ['git://host/acme/app', 'acme/app', 'host'],
    ['git@github.com:acme/web-app.git', 'acme/web-app', 'github.com'],
    ['github.com:acme/web-app', 'acme/web-app', 'github.com'],
    ['git@github.com:/acme/web-app.git', 'acme/web-app', 'github.com'],
    ['git@[::1]:acme/app', 'acme/app', '[::1]'],
    ['ssh://host/~alice/app', '~alice/app', 'host'],
    ['https://dev.azure.com/org/My%20Project/_git/app', 'org/My Project/_git/app', 'dev.azure.com'],
    ['git@host:app.git', 'app', 'host'],
    ['https://github.com/acme/.git.git', 'acme/.git', 'github.com'],
  ];
  test.each(cases)('%s', (url, repo, host) => {
    expect(parseRemoteUrl(url)).toEqual({ repo, host });
  });
});

describe('URLs that name none', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['/srv/git/app.git', /local path/],
    ['./app', /local path/],
    ['../app:x', /local path/],
    ['app', /local path/],
    ['', /local path/],
    ['file:///srv/app.git', /local path/],
    ['ext::ssh host', /blanks/],
    ['codecommit::eu-west-1://app', /remote helper/],
    ['s3://bucket/app', /unknown kind/],
    ['https://github.com', /without a path/],
    ['https://github.com/', /names no repository/],
    ['https://github.com/acme/../other/app', /names no repository/],
    ['https://github.com/acme//app', /names no repository/],
    ['https://github.com/acme%2Fapp/x', /names no repository/],
    ['https://github.com/acme%zz/x', /names no repository/],
    ['https://github.com/acme%0a/x', /names no repository/],
    ['https://github.com/acme/.git', /names no repository/],
    ['https://github.com/acme/app?x=y', /query/],
    ['https://github.com/acme/app#y', /fragment/],
    ['https://github.com\\@evil.example/acme/app', /backslashes/],
    ['https://a b/acme/app', /blanks/],
    ['https://host/acme/app\n', /control characters/],
    ['user:pass@host:acme/app', /names no repository/],
    [`https://h/${'a/'.repeat(200)}b`, /too long/],
  ];
  test.each(cases)('%s', (url, reason) => {
    expect(parseRemoteUrl(url)).toMatch(reason);
  });
});

it('never shows what stands before the host, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\x21-\x7e]{8,30}$/),
      fc.constantFrom('https://', 'ssh://', ''),
      (secret, scheme) => {
        const parsed = parseRemoteUrl(`${scheme}user:S3cr${secret}@host.example/acme/app.git`);
        if (typeof parsed === 'string') expect(parsed).not.toContain(secret);
        else expect(parsed).toEqual({ repo: 'acme/app', host: 'host.example' });
      },
    ),
  );
});
