/** Commands that let more run than the program they name. */
import { describe, expect, it } from 'vitest';
import { INTERPRETERS, LAUNCHERS, OPTION_RUNNERS } from '../../src/policy/lint/code-runners.ts';
import { codesOfAllow, findingsOf, local, sound } from './lint-from.ts';

const at = 'rules[0].allow.command';

describe('commands', () => {
  it.each<[string, unknown, string[]]>([
    ['a bare name', 'publish', ['bare_program']],
    ['every program of a folder', '/srv/scripts/*', ['any_program']],
    ['some programs of a folder', '/srv/scripts/*.sh', ['any_program']],
    ['any folder', '/srv/*/publish.sh', ['any_folder']],
    ['any folder, whatever its depth', '**/publish.sh', ['any_folder']],
    ['arguments in text', './x.sh --all', ['program_with_blank']],
    ['a script', ['./x.sh', '--all'], []],
    ['a pinned program', { path: './x.sh', sha256: '0'.repeat(64) }, []],
    ['a pinned interpreter', { path: '/usr/bin/python3', sha256: '0'.repeat(64) }, ['any_code']],
    ['a shell', '/bin/bash', ['any_code']],
    ['a shell with flags', ['/bin/sh', '-c'], ['any_code']],
    ['a shell with the value of a flag', ['/bin/bash', '-o', 'pipefail'], ['any_code']],
    ['a shell with any argument', ['/bin/sh', '**'], ['any_code']],
    ['a shell with any script of a folder', ['/bin/sh', '/srv/*.sh'], ['any_code']],
    ['a shell with fixed code', ['/bin/sh', '-ec', 'make publish'], []],
    ['a shell with a script', ['/bin/sh', '/srv/x.sh'], []],
    ['a shell with a script of the caller', ['/bin/sh', './x.sh'], ['script_by_cwd']],
    ['an interpreter by name', ['python3.12', '-I'], ['any_code', 'bare_program']],
    ['a module', ['/usr/bin/python3', '-m', 'http.server'], []],
    ['any module', ['/usr/bin/python3', '-m', '*'], ['any_code']],
    ['code of python', ['/usr/bin/python3', '-c'], ['any_code']],
    ['node with a hook', ['/usr/bin/node', '--require', '/srv/x.js'], ['any_code']],
    ['node with a script', ['/usr/bin/node', '/srv/x.js'], []],
    ['deno with a script', ['/usr/bin/deno', 'run', '--allow-net', '/srv/x.ts'], []],
    ['deno without', ['/usr/bin/deno', 'run'], ['any_code']],
    ['env alone', '/usr/bin/env', ['any_code']],
    ['env with assignments', ['/usr/bin/env', '-u', 'X', 'A=b'], ['any_code']],
    ['env with a shell', ['/usr/bin/env', 'A=b', 'bash'], ['any_code']],
    ['env with a script', ['/usr/bin/env', 'A=b', '/srv/x.sh'], []],
    ['timeout with a time', ['/usr/bin/timeout', '-k', '5', '60'], ['any_code']],
    ['timeout with a script', ['/usr/bin/timeout', '60', '/srv/x.sh'], []],
    ['timeout with an interpreter', ['/usr/bin/timeout', '60', 'python3'], ['any_code']],
    ['sudo as somebody', ['/usr/bin/sudo', '-u', 'root'], ['any_code']],
    ['xargs', ['/usr/bin/xargs', '-n', '1'], ['any_code']],
    ['busybox', ['/bin/busybox', 'sh'], ['any_code']],
    ['the dynamic linker', ['/lib64/ld-linux-x86-64.so.2', '--library-path', '/srv/lib'], ['any_code']],
    ['the dynamic linker with a script', ['/lib64/ld-linux-x86-64.so.2', '/srv/x'], []],
    ['taskset with a mask', ['/usr/bin/taskset', '0x1'], ['any_code']],
    ['fakeroot', ['/usr/bin/fakeroot'], ['any_code']],
    ['su', ['/usr/bin/su', 'deploy'], ['code_by_option']],
    ['find with a folder', ['/usr/bin/find', '/srv'], ['code_by_option']],
    ['git with a subcommand', ['/usr/bin/git', 'push', 'origin'], ['code_by_option']],
    ['tar', ['/usr/bin/tar', '-cf', '/srv/x.tar'], ['code_by_option']],
    ['ssh', ['/usr/bin/ssh', 'host.example'], ['code_by_option']],
    ['make with a target', ['/usr/bin/make', 'publish'], ['code_by_option']],
    ['env with find', ['/usr/bin/env', 'find', '.'], ['code_by_option']],
    ['a program that only looks like one', ['/srv/git-report', 'x'], []],
  ])('%s', (_, command, codes) => {
    expect(codesOfAllow({ command })).toEqual(codes.map((code) => `warning ${code} ${at}`));
  });

  it('says by which option', () => {
    const [finding] = findingsOf({ ...local, rules: [{ allow: { ...sound, command: ['/bin/tar', 'x'] } }] });
    expect(finding?.message).toContain('--checkpoint-action=exec=CMD');
  });

  it('leaves a deny alone', () => {
    const rules = [{ allow: sound }, { deny: { command: '/bin/bash' } }];
    expect(findingsOf({ ...local, rules })).toEqual([]);
  });

  it('knows each program once', () => {
    const names = [...INTERPRETERS, ...LAUNCHERS, ...OPTION_RUNNERS].flatMap(({ programs }) => programs);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      expect([name, codesOfAllow({ command: `/usr/bin/${name}` }).length]).toEqual([name, 1]);
    }
  });
});
