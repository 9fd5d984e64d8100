#!/bin/sh
# A team's own issuer for the tests: tokens are files in $ISSUER, which say until when they work, by the clock of the test.
# usage: issuer.sh issue|end|probe, with capwrap's JSON on standard input
action=$1
read -r input
now=$(($(date +%s) + $(cat "$ISSUER/offset")))

field() { # text of a JSON field that comes once
  printf '%s' "$input" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# The fault that is planned for this route, if any: a line "ROUTE FAULT AFTER TIMES" in a file of its own.
fault=
for plan in "$ISSUER"/faults/*; do
  [ -e "$plan" ] || continue
  read -r route kind after times <"$plan"
  [ "$route" = "$action" ] || continue
  if [ "$after" -gt 0 ]; then
    echo "$route $kind $((after - 1)) $times" >"$plan"
    continue
  fi
  if [ "$times" = all ]; then :; elif [ "$times" -gt 1 ]; then echo "$route $kind 0 $((times - 1))" >"$plan"; else rm "$plan"; fi
  fault=$kind
  echo "$kind" >>"$ISSUER/met"
  break
done

misbehaves() {
  [ -e "$ISSUER/misbehave/$1" ] || return 1
  echo "$1" >>"$ISSUER/met"
}

echo "a message for people: $ISSUER_SECRET" >&2
case $fault in
refused) exit 77 ;;
throttled) exit 75 ;;
slow) sleep 0.3 ;;
hang)
  echo $$ >"$ISSUER/hanging/$$"
  exec sleep 3600
  ;;
server_error) exit 1 ;;
html)
  echo '<html><body>not for your eyes</body></html>'
  exit 0
  ;;
huge)
  head -c 10485760 /dev/zero | tr '\0' x
  exit 0
  ;;
esac

print() {
  case $fault in
  reset_after_effect) kill -KILL $$ ;;
  truncated) printf '%s' "$1" | head -c $((${#1} / 2)) ;;
  *) printf '%s\n' "$1" ;;
  esac
}

case $action in
issue)
  life=$(field ttl_seconds)
  misbehaves longer_than_asked && life=$((life + 3600))
  misbehaves expired_on_arrival && life=-5
  id=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  token=ledger_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  echo "$token" >>"$ISSUER/secrets"
  echo "$((now + life)) $token" >"$ISSUER/live/$id"
  value=$token
  misbehaves value_with_newline && value="$token\\n"
  principal=agent
  misbehaves wrong_principal && principal=root
  scope='"ledger:read"'
  misbehaves wider_than_asked && scope='"ledger:read", "ledger:write"'
  at=$(date -u -d "@$((now + life))" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$((now + life))" +%Y-%m-%dT%H:%M:%SZ)
  print "{\"capwrap_lease\": 1, \"values\": {\"token\": {\"value\": \"$value\", \"secret\": true}, \"user\": {\"value\": \"agent\", \"secret\": false}}, \"expires_at\": \"$at\", \"principal\": \"$principal\", \"scope\": [$scope], \"handle\": {\"id\": \"$id\"}}"
  ;;
end)
  misbehaves revoke_fails && exit 1
  misbehaves still_alive || rm -f "$ISSUER/live/$(field id)"
  print '{"answer": "ended"}'
  ;;
probe)
  state=dead
  if [ -e "$ISSUER/live/$(field id)" ]; then
    read -r until token <"$ISSUER/live/$(field id)"
    state=expired
    [ "$until" -gt "$now" ] && state=alive
  fi
  print "{\"state\": \"$state\"}"
  ;;
esac
