# Source this from the shell that an agent's tool runs in. The agent calls `with_capability`; it asks for a
# capability by name, never for a secret, and gets the command's own output and exit status.
#
#   . ./examples/agent-tool.sh
#   export CAPWRAP_ENVIRONMENT=preview
#   with_capability publish-preview-build "preview for the review" -- ./examples/scripts/publish-preview.sh
#
# shellcheck shell=sh

with_capability() {
  if [ "$#" -lt 4 ] || [ "$3" != -- ]; then
    echo 'usage: with_capability CAPABILITY REASON -- COMMAND [ARG...]' >&2
    return 120
  fi
  _capability=$1 _reason=$2
  shift 3
  # The words reach the command as they are: nothing is joined, split or expanded a second time.
  "${CAPWRAP:-capwrap}" run --quiet --capability "$_capability" --justification "$_reason" -- "$@"
  _status=$?
  case $_status in
    121) echo "with_capability: the capability map is missing, invalid or not trusted: ask a human to run 'capwrap trust'" >&2 ;;
    122) echo "with_capability: denied, or not approved; 'capwrap explain $_capability -- COMMAND' and 'capwrap approvals' say why" >&2 ;;
    123) echo 'with_capability: no credential could be had' >&2 ;;
  esac
  return "$_status"
}
