/**
 * Variables that a map must not hand through by name alone: each group with what it would give to the child, or to
 * whoever controls the caller's environment. The list makes authors think twice; what protects the child is that
 * its environment is built from nothing.
 */

interface SensitiveGroup {
  /** True where a value of such a variable is code or names it. */
  readonly loadsCode: boolean;
  /** What a variable of the group does, as the end of `"NAME" …`. */
  readonly does: string;
  /** Whole names; `*` at the end stands for any rest. */
  readonly names: readonly string[];
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

const SENSITIVE_GROUPS: readonly SensitiveGroup[] = [
  {
    loadsCode: true,
    does: 'makes the dynamic loader run code of its own choice in every program',
    names: words('LD_* DYLD_* _RLD* LDR_* LIBPATH SHLIB_PATH GCONV_PATH GETCONF_DIR MALLOC_TRACE'),
  },
  {
    loadsCode: true,
    does: 'makes a shell run or look up other commands than the ones written',
    names: words(`
      BASH_ENV ENV BASH_FUNC_* BASHOPTS SHELLOPTS IFS CDPATH GLOBIGNORE PS0 PS4 PROMPT_COMMAND
      FPATH ZDOTDIR NULLCMD READNULLCMD INPUTRC HISTFILE TMPPREFIX
    `),
  },
  {
    loadsCode: true,
    does: 'makes an interpreter load further code or open a debugger',
    names: words(`
      NODE_* PYTHON* PERL* RUBY* GEM_* BUNDLE_* JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
      CLASSPATH MAVEN_OPTS GRADLE_OPTS DOTNET_STARTUP_HOOKS LUA_INIT* LUA_PATH LUA_CPATH
      R_PROFILE* R_ENVIRON* ERL_* PHPRC PHP_INI_SCAN_DIR TCLLIBPATH
    `),
  },
  {
    loadsCode: true,
    does: 'makes a build or package tool run other programs or use other registries',
    names: words(`
      npm_config_* NPM_CONFIG_* YARN_* PNPM_* PIP_* UV_* COMPOSER_* CARGO_* RUSTC* RUSTFLAGS
      GOFLAGS GOPROXY GOENV CC CXX CFLAGS LDFLAGS MAKEFLAGS MFLAGS
    `),
  },
  {
    loadsCode: true,
    does: 'makes git or ssh run other programs, read other files or print their traffic',
    names: words('GIT_* SSH_ASKPASS* SUDO_ASKPASS'),
  },
  {
    loadsCode: true,
    does: 'names a program that other programs start',
    names: words('EDITOR VISUAL PAGER MANPAGER LESSOPEN LESSCLOSE BROWSER SYSTEMD_EDITOR'),
  },
  {
    loadsCode: true,
    does: 'lets the child change later steps of the CI job',
    names: words('GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE'),
  },
  {
    loadsCode: false,
    does: 'reaches an agent or session socket that acts with standing access',
    names: words(`
      SSH_AUTH_SOCK SSH_AGENT_PID GPG_AGENT_INFO GNUPGHOME DBUS_* XDG_RUNTIME_DIR DOCKER_*
      CONTAINER_HOST PODMAN_* KRB5* XAUTHORITY DISPLAY WAYLAND_DISPLAY TMUX
    `),
  },
  {
    loadsCode: false,
    does: 'selects other credentials than the lease',
    names: words(`
      AWS_* BOTO_* GOOGLE_* GCLOUD_* CLOUDSDK_* GCE_* AZURE_* ARM_* MSI_* IDENTITY_* IMDS_*
      VAULT_* BAO_* KUBE* OP_* DOPPLER_* INFISICAL_* FNOX_* GH_* GITLAB_* NETRC PGPASSFILE
      PGSERVICEFILE MYSQL_PWD ACTIONS_ID_TOKEN_* ACTIONS_RUNTIME_* XDG_CONFIG_HOME XDG_DATA_HOME
      XDG_STATE_HOME
    `),
  },
  {
    loadsCode: false,
    does: 'sends traffic elsewhere or changes whom the child trusts',
    names: words(`
      HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY http_proxy https_proxy all_proxy
      no_proxy ftp_proxy SSL_CERT_* SSLKEYLOGFILE OPENSSL_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
      CURL_HOME HOSTALIASES LOCALDOMAIN RES_OPTIONS RESOLV_HOST_CONF NIS_PATH NLSPATH LOCPATH
      PATH_LOCALE TERMINFO* TERMPATH TERMCAP TZDIR
    `),
  },
];

const LOOKS_LIKE_CREDENTIAL =
  /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|COOKIE|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SIGNING_?KEY|CONNECTION_?STRING|(?:^|_)(?:PAT|PASS|AUTH|DSN|DATABASE_URL)$/i;

/** What handing a variable through would do, as the end of `"NAME" …`; null where nothing is known against it. */
export function sensitiveName(name: string): string | null {
  return groupOf(name)?.does ?? (LOOKS_LIKE_CREDENTIAL.test(name) ? 'looks like a credential' : null);
}

/**
 * What a lease's value would do in a variable where it is taken for code; null where it is fine there. A name such
 * as `NODE_AUTH_TOKEN` belongs to an interpreter and is meant for a credential all the same.
 */
export function loadsCode(name: string): string | null {
  const group = groupOf(name);
  return group?.loadsCode && !LOOKS_LIKE_CREDENTIAL.test(name) ? group.does : null;
}

function groupOf(name: string): SensitiveGroup | undefined {
  return SENSITIVE_GROUPS.find(({ names }) => names.some((entry) => covers(entry, name)));
}

function covers(entry: string, name: string): boolean {
  return entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : entry === name;
}
