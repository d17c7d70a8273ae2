#!/usr/bin/env bash
# Writes the Ruby classes of the messages and services into a folder, `generated` beside this file by default.
# Debian and Ubuntu: apt-get install ruby-grpc ruby-grpc-tools. Elsewhere: gem install grpc grpc-tools.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/generated}
mkdir -p "$out"
grpc_tools_ruby_protoc -I "$here/../../../proto" --ruby_out="$out" --grpc_out="$out" \
  pose_mdn/v1/body.proto pose_mdn/v1/camera.proto pose_mdn/v1/pose_lifting.proto
