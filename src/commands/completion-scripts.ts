/**
 * What the shells run for completion. Each script hands the words up to the cursor to `capwrap __complete` as they
 * stand, never through `eval`: a half-typed `$(…)` must not run because somebody pressed Tab. Behind `--` the words are
 * another command's, and the shell completes them as such. No answer means file names.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Works in bash 3.2 (macOS) and newer, with and without the bash-completion package. */
const BASH = `# capwrap completion for bash. Load it with: eval "$(capwrap completion bash)"
_capwrap() {
  local i line cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -c -- "$cur")
      fi
      return
    fi
  done
  while IFS= read -r line; do COMPREPLY+=("$line"); done \\
    < <("\${COMP_WORDS[0]/#\\~\\//$HOME/}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _capwrap capwrap
`;

const ZSH = `#compdef capwrap
# capwrap completion for zsh. Load it with: eval "$(capwrap completion zsh)", behind compinit
_capwrap() {
  local i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    if [[ \${words[i]} == -- ]]; then
      shift $i words
      ((CURRENT -= i))
      _normal
      return
    fi
  done
  found=("\${(@f)$("\${words[1]/#\\~\\//$HOME/}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n \${found[1]} ]]; then
    compadd -a found
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _capwrap ]]; then
  _capwrap "$@"
else
  compdef _capwrap capwrap
fi
`;

const FISH = `# capwrap completion for fish. Load it with: capwrap completion fish | source
function __capwrap_after_dashes
    contains -- -- (commandline -opc)
end
function __capwrap_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
function __capwrap_other
    set -l words (commandline -opc)
    set -e words[1..(contains -i -- -- $words)]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end
complete -c capwrap -f -n 'not __capwrap_after_dashes' -a '(__capwrap_complete)'
complete -c capwrap -f -n __capwrap_after_dashes -a '(__capwrap_other)'
`;

/** The script of a shell, to be evaluated by it. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
