#!/bin/sh
# What people do today: call the AWS CLI, export what it prints, run the command.
set -eu
credentials=$(aws sts assume-role --endpoint-url "$STS_URL" --role-arn "$ROLE_ARN" --role-session-name bench \
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
AWS_ACCESS_KEY_ID=$(echo "$credentials" | cut -f1)
AWS_SECRET_ACCESS_KEY=$(echo "$credentials" | cut -f2)
AWS_SESSION_TOKEN=$(echo "$credentials" | cut -f3)
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
exec "$@"
