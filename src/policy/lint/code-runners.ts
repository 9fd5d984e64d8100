/**
 * Programs that run code which their arguments, their input or a file beside them choose. GTFOBins
 * (https://gtfobins.github.io) lists many more; here stand those that a rule is likely to name.
 */

/** Runs the script named by its first plain argument; arguments after it are the script's. */
export interface Interpreter {
  readonly programs: readonly string[];
  /** Options whose value is the whole program, with the arguments after it left to it: `sh -c`, `python -m`. */
  readonly code: RegExp | null;
  /** Options that take the next argument as their value. */
  readonly valued: readonly string[];
  /** Words that may stand before the script: the `run` of `deno run`. */
  readonly subcommands: readonly string[];
}

export const INTERPRETERS: readonly Interpreter[] = [
  {
    programs: ['sh', 'bash', 'rbash', 'dash', 'zsh', 'ksh', 'mksh', 'csh', 'tcsh', 'fish', 'ash'],
    code: /^-[a-z]*c$/,
    valued: ['-o', '-O', '--rcfile', '--init-file'],
    subcommands: [],
  },
  { programs: ['pwsh', 'powershell'], code: /^-(?:c|command|file|f)$/i, valued: [], subcommands: [] },
  { programs: ['python', 'pypy'], code: /^-[A-Za-z]*[cm]$/, valued: ['-W', '-X'], subcommands: [] },
  {
    programs: ['node', 'nodejs', 'tsx', 'ts-node'],
    code: null,
    valued: ['-e', '--eval', '-p', '--print', '-r', '--require', '--import', '--loader', '-C'],
    subcommands: [],
  },
  {
    programs: ['deno', 'bun', 'uv'],
    code: null,
    valued: ['-e', '--eval', '-r', '--preload', '--with'],
    subcommands: ['run', 'task', 'tool', 'x', 'eval'],
  },
  {
    programs: ['npx', 'uvx', 'pipx', 'bunx'],
    code: null,
    valued: ['-p', '--package', '-c', '--call'],
    subcommands: [],
  },
  {
    programs: ['perl', 'ruby', 'lua', 'luajit'],
    code: null,
    valued: ['-e', '-E', '-I', '-r', '-l'],
    subcommands: [],
  },
  { programs: ['php'], code: /^-[fr]$/, valued: ['-d', '-c'], subcommands: [] },
  {
    programs: ['awk', 'gawk', 'mawk', 'nawk'],
    code: null,
    valued: ['-f', '--file', '-v', '-F', '-i', '-e'],
    subcommands: [],
  },
  { programs: ['java'], code: /^-jar$/, valued: ['-cp', '-classpath', '--class-path'], subcommands: [] },
  {
    programs: ['tclsh', 'wish', 'expect', 'Rscript', 'julia', 'osascript', 'guile', 'elixir', 'groovy'],
    code: null,
    valued: ['-e', '-c'],
    subcommands: [],
  },
];

/** Starts the program that its arguments name, which is what must be looked at. */
export interface Launcher {
  readonly programs: readonly string[];
  readonly valued: readonly string[];
  /** Plain arguments before the program: the time of `timeout`, the lock file of `flock`. */
  readonly operands: number;
}

export const LAUNCHERS: readonly Launcher[] = [
  { programs: ['env'], valued: ['-u', '--unset', '-C', '--chdir'], operands: 0 },
  { programs: ['nohup', 'setsid', 'time', 'busybox', 'toybox', 'caffeinate'], valued: [], operands: 0 },
  { programs: ['nice', 'ionice', 'watch'], valued: ['-n', '-c', '-p', '--interval'], operands: 0 },
  { programs: ['stdbuf'], valued: ['-i', '-o', '-e'], operands: 0 },
  { programs: ['timeout'], valued: ['-k', '-s', '--kill-after', '--signal'], operands: 1 },
  { programs: ['flock'], valued: ['-w', '-E', '--timeout'], operands: 1 },
  { programs: ['chroot', 'taskset', 'chrt', 'faketime', 'setarch'], valued: [], operands: 1 },
  {
    programs: [
      'ld-linux-x86-64.so.2',
      'ld-linux-aarch64.so.1',
      'ld-musl-x86_64.so.1',
      'ld-musl-aarch64.so.1',
    ],
    valued: ['--library-path', '--preload', '--argv0'],
    operands: 0,
  },
  {
    programs: [
      'fakeroot',
      'unbuffer',
      'numactl',
      'prlimit',
      'pkexec',
      'dbus-run-session',
      'ssh-agent',
      'xvfb-run',
    ],
    valued: [],
    operands: 0,
  },
  {
    programs: ['sudo', 'doas', 'runuser'],
    valued: ['-u', '-g', '-h', '-p', '-C', '-D', '-R', '-T'],
    operands: 0,
  },
  {
    programs: ['xargs', 'parallel'],
    valued: ['-I', '-n', '-P', '-L', '-s', '-d', '-a', '-E', '-j'],
    operands: 0,
  },
  {
    programs: ['strace', 'ltrace', 'unshare', 'nsenter', 'setpriv', 'firejail', 'systemd-run'],
    valued: [],
    operands: 0,
  },
];

/** Runs code by an option or command that can follow whatever the rule pins: a list matches the beginning only. */
export interface OptionRunner {
  readonly programs: readonly string[];
  /** An example. */
  readonly by: string;
}

export const OPTION_RUNNERS: readonly OptionRunner[] = [
  { programs: ['find'], by: '-exec' },
  { programs: ['fd', 'fdfind'], by: '--exec' },
  { programs: ['git'], by: '-c alias.x=!CMD, --upload-pack=CMD' },
  { programs: ['tar', 'gtar', 'bsdtar'], by: '--checkpoint-action=exec=CMD, --use-compress-program=CMD' },
  { programs: ['rsync'], by: '-e CMD' },
  { programs: ['ssh', 'scp', 'sftp'], by: '-o ProxyCommand=CMD' },
  { programs: ['sort'], by: '--compress-program=CMD' },
  { programs: ['split'], by: '--filter=CMD' },
  { programs: ['sed', 'gsed'], by: 'the command e' },
  { programs: ['zip'], by: '-T -TT CMD' },
  { programs: ['man'], by: '-P CMD' },
  { programs: ['less', 'more'], by: '!CMD' },
  { programs: ['vi', 'vim', 'nvim', 'view', 'emacs', 'nano', 'ed'], by: 'a command of the editor' },
  { programs: ['gdb', 'lldb'], by: '-ex CMD' },
  { programs: ['make', 'gmake'], by: '--eval=TEXT, -f FILE' },
  { programs: ['npm', 'pnpm', 'yarn'], by: '--script-shell=CMD' },
  { programs: ['go'], by: '-exec CMD, -toolexec CMD' },
  { programs: ['cargo'], by: '--config KEY=VALUE' },
  { programs: ['mvn', 'gradle', 'sbt'], by: 'a plugin, --init-script FILE' },
  { programs: ['pip', 'pip3'], by: 'the build script of a package' },
  { programs: ['docker', 'podman', 'nerdctl'], by: 'run, exec, --entrypoint' },
  { programs: ['kubectl', 'helm'], by: 'exec, a plugin' },
  {
    programs: ['terraform', 'tofu', 'ansible', 'ansible-playbook'],
    by: 'a provisioner or module of the files',
  },
  { programs: ['psql', 'mysql', 'sqlite3'], by: 'a shell command of its prompt (\\!, .shell)' },
  { programs: ['wget'], by: '--use-askpass=CMD' },
  { programs: ['tcpdump'], by: '-z CMD' },
  { programs: ['socat', 'nc', 'ncat'], by: 'EXEC:CMD, -e CMD' },
  { programs: ['screen', 'tmux', 'script'], by: 'a shell of its own' },
  { programs: ['openssl'], by: '-engine FILE' },
  { programs: ['su'], by: '-c CMD' },
  { programs: ['bwrap', 'proot'], by: 'the command after its options' },
  { programs: ['rake', 'just', 'bundle', 'poetry', 'tox', 'nox'], by: '-f FILE, exec, run' },
  { programs: ['cmake', 'ninja', 'meson', 'bazel'], by: '-E env CMD, -C FOLDER, run' },
  { programs: ['gh', 'glab'], by: 'an alias or extension' },
  { programs: ['nix', 'nix-shell', 'direnv', 'mise', 'asdf'], by: 'run, exec, --run CMD' },
  { programs: ['crontab', 'at'], by: 'commands for later' },
];

/** The row for a program's file name, a version at its end aside: `python3.12`, `lua5.4`. */
export function rowFor<Row extends { readonly programs: readonly string[] }>(
  rows: readonly Row[],
  name: string,
): Row | undefined {
  const plain = name.replace(/(?<=[a-z])-?\d[\d.]*$/, '');
  return rows.find(({ programs }) => programs.includes(name) || programs.includes(plain));
}
