#!/usr/bin/env bash
# Generates the Go code of the messages and builds lift.go with it, without a network, into a folder (./build by default):
#
#   apt-get install golang-go golang-google-grpc-dev golang-github-golang-protobuf-1-5-dev \
#     protobuf-compiler protoc-gen-go protoc-gen-go-grpc
#   ./build.sh && ./build/lift 127.0.0.1:8001 ../person.json
#
# With Go modules: generate in the same way into your module, and `go get` what lift.go imports.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/build}
mkdir -p "$out/src"

options=()
for name in body camera pose_lifting; do # the .proto files do not say where Go code is to lie
  options+=("--go_opt=Mpose_mdn/v1/$name.proto=posemdn/v1" "--go-grpc_opt=Mpose_mdn/v1/$name.proto=posemdn/v1")
done
protoc -I "$here/../../../proto" --go_out="$out/src" --go-grpc_out="$out/src" "${options[@]}" \
  pose_mdn/v1/body.proto pose_mdn/v1/camera.proto pose_mdn/v1/pose_lifting.proto

GO111MODULE=off GOFLAGS='' GOPATH="$out:/usr/share/gocode" go build -o "$out/lift" "$here/lift.go"
