#!/bin/sh
# Writes deploy/.env with a random password for each user of the bus, unless it is there; compose reads it.
# The letter in front: nats-server reads what begins with a digit as a number.
set -eu
file="$(dirname "$0")/../.env"
if [ -e "$file" ] && grep -q '^NATS_OPERATOR_PASSWORD=' "$file"; then
  echo "$file has passwords already; remove its NATS_ lines to get new ones" >&2
  exit 0
fi
umask 077
for user in EDGE_PROXY AUTH RATELIMIT QUOTA_MIRROR CONFIG_REGISTRY LITELLM OPERATOR LEAF; do
  echo "NATS_${user}_PASSWORD=p$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done >>"$file"
echo "passwords written to $file"
