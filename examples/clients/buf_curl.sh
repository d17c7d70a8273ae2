#!/usr/bin/env bash
# Lifts the person of a JSON file with `buf curl`: JSON in, JSON out, no code.
#
#   examples/clients/buf_curl.sh 127.0.0.1:8001 examples/clients/person.json
#   examples/clients/buf_curl.sh 127.0.0.1:8001 examples/clients/person.json --schema proto   # reflection is closed
#   examples/clients/buf_curl.sh 127.0.0.1:8001 person.json --header "authorization: Bearer $TOKEN"
#
# buf is at https://buf.build/docs/cli, and in npm: npm install @bufbuild/buf. BUF names another binary than `buf`.
set -euo pipefail

address=$1 request=$2
shift 2
exec "${BUF:-buf}" curl --protocol grpc --http2-prior-knowledge "$@" --data @- \
  "http://$address/pose_mdn.v1.PoseLiftingService/Lift" <"$request"
