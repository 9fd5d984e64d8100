#!/bin/sh
# What the staging database knows of its tables; psql finds user and password in the environment.
set -eu
: "${PGUSER:?}" "${PGPASSWORD:?}"
exec psql --no-psqlrc --csv --command 'select relname, n_live_tup from pg_stat_user_tables order by 1'
