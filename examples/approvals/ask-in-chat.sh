#!/bin/sh
# Carries a request for approval to the team's channel: capwrap starts it in the map's folder with the request on standard
# input, PATH, and CAPWRAP_APPROVAL_ID. Here the channel is a folder that is shared with the approvers, beside the map; a
# chat's webhook would take its place. Prints the signed answer once it is there; capwrap checks it, whatever stands in it.
set -eu
channel=./approvals
mkdir -p "$channel"
request=$channel/$CAPWRAP_APPROVAL_ID.request.json
answer=$channel/$CAPWRAP_APPROVAL_ID.approval.json
cat >"$request.new"
mv "$request.new" "$request"
# An approver runs, wherever the folder is:
#   capwrap approve --request ID.request.json --key ~/.ssh/id_ed25519_sk > ID.new && mv ID.new ID.approval.json
while [ ! -e "$answer" ]; do sleep 0.2; done
cat "$answer"
