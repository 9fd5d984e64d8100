#!/bin/sh
# Reads a metric of the staging environment with the AWS CLI. Runs under:
#   capwrap run -c read-staging-metrics -- ./examples/scripts/read-metrics.sh
set -eu
exec aws cloudwatch list-metrics --namespace "${1:-AWS/ApplicationELB}" --output json
