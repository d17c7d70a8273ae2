#!/usr/bin/env bash
# Build the Dockerfile's image, run it as it is configured, lift a pose from inside it, stop it. No Docker engine is needed.
#
#   deploy/build_and_run_image.sh                                        # base made from Debian packages
#   BASE=docker.io/library/python:3.11-slim deploy/build_and_run_image.sh # base from a registry
#
# Needs root and, from Debian or Ubuntu: apt-get install buildah debootstrap. Leaves the image $IMAGE in buildah's storage.
# buildah's chroot isolation needs no kernel namespaces, so this also works inside another container; the image then shares
# the host's network, and port 8001 must be free.
set -euo pipefail
cd "$(dirname "$0")/.."

IMAGE=${IMAGE:-localhost/pose-mdn:latest}
SUITE=${SUITE:-bookworm}
LOCAL_BASE=localhost/pose-mdn-base:$SUITE
BASE=${BASE:-$LOCAL_BASE}
CERTIFICATES=/etc/ssl/certs
START_TIMEOUT_S=60
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

scratch=$(mktemp -d)
container=
runner=
server=

finish() {
  if [ -n "$runner" ]; then kill "$runner" 2>/dev/null && wait "$runner" || true; fi
  if [ -n "$container" ]; then buildah rm "$container" >/dev/null 2>&1 || true; fi
  rm -rf --one-file-system "$scratch"
}
trap finish EXIT

step() { printf '\n=== %s (%s s so far)\n' "$1" "$SECONDS"; }
fail() { echo "build_and_run_image: $1" >&2; exit 1; }

require() {
  [ "$(id -u)" -eq 0 ] || fail "needs root to make a file system; run it with sudo"
  for tool in buildah python3 "$@"; do
    command -v "$tool" >/dev/null || fail "needs $tool; on Debian or Ubuntu: apt-get install buildah debootstrap python3"
  done
}

# What python:3.11-slim offers and the Dockerfile relies on: python3 with pip and venv.
make_base() {
  step "base $LOCAL_BASE from Debian $SUITE"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv \
    "$SUITE" "$scratch/base" >"$scratch/debootstrap.log" || { tail -5 "$scratch/debootstrap.log" >&2; fail "debootstrap failed"; }
  rm -rf "$scratch"/base/var/cache/apt/archives/*.deb "$scratch"/base/var/lib/apt/lists/*
  local layer
  layer=$(buildah from scratch)
  buildah copy --quiet "$layer" "$scratch/base" / >/dev/null
  buildah commit --quiet --rm "$layer" "$LOCAL_BASE" >/dev/null
  rm -rf --one-file-system "$scratch/base"
}

# pip sees what the host's pip sees (index, certificates, local folders); mounted, so nothing of it stays in the image.
build_image() {
  step "image $IMAGE on $BASE"
  local mounts=(--volume "$CERTIFICATES:$CERTIFICATES:ro" --volume "$scratch/pip.conf:/etc/pip.conf:ro") folder
  python3 deploy/host_pip_settings.py "$scratch/pip.conf" >"$scratch/folders"
  while read -r folder; do mounts+=(--volume "$folder:$folder:ro"); done <"$scratch/folders"
  buildah rmi "$IMAGE" >/dev/null 2>&1 || true # otherwise each run would leave a nameless image behind
  buildah build --quiet --format docker --layers=false "${mounts[@]}" --build-arg BASE="$BASE" --tag "$IMAGE" .
}

# Print a list of the image's configuration, one entry per line.
configured() {
  buildah inspect --type image "$IMAGE" | python3 -c '
import json, sys
config = json.load(sys.stdin)["Docker"]["config"]
value = {"command": config["Entrypoint"] + config["Cmd"], "user": [config["User"]], "health": config["Healthcheck"]["Test"][1:]}
print("\n".join(value[sys.argv[1]]))' "$1"
}

in_container() { buildah run "$container" -- "$@"; }

start_server() {
  local command user
  mapfile -t command < <(configured command)
  user=$(configured user)
  step "${command[*]} as user $user"
  [ "${user%%:*}" != 0 ] && [ "${user%%:*}" != root ] || fail "the image would run as root"
  container=$(buildah from "$IMAGE")
  buildah run "$container" -- "${command[@]}" >"$scratch/server.log" 2>&1 &
  runner=$!
}

# buildah itself kills its child at once when it is told to stop, so the server is found and told directly, as Docker does.
find_server() {
  local process=$runner
  while [[ "$(tr '\0' ' ' <"/proc/$process/cmdline")" == buildah* ]]; do
    process=$(pgrep --parent "$process" | head -1)
    [ -n "$process" ] || return 1
  done
  echo "$process"
}

wait_until_healthy() {
  local probe
  mapfile -t probe < <(configured health)
  step "${probe[*]}"
  until in_container "${probe[@]}" 2>"$scratch/probe.log"; do
    kill -0 "$runner" 2>/dev/null || { cat "$scratch/server.log" >&2; fail "the server ended before it was healthy"; }
    [ "$SECONDS" -lt "$deadline" ] || { cat "$scratch"/{server,probe}.log >&2; fail "not healthy after $START_TIMEOUT_S s"; }
    sleep 1
  done
  server=$(find_server) || fail "cannot find the server's process"
  [ "$(stat --format %u "/proc/$server")" -ne 0 ] || fail "the server runs as root"
}

lift_a_pose() {
  step "a client inside the container lifts a pose"
  in_container python - <deploy/lift_bundled_clip.py
}

stop_server() {
  step "SIGTERM"
  kill -TERM "$server"
  wait "$runner" || { cat "$scratch/server.log" >&2; fail "the server did not end cleanly"; }
  cat "$scratch/server.log"
  runner=
}

require
if [ "$BASE" = "$LOCAL_BASE" ] && ! buildah inspect --type image "$BASE" >/dev/null 2>&1; then
  require debootstrap
  make_base
fi
build_image
start_server
deadline=$((SECONDS + START_TIMEOUT_S))
wait_until_healthy
lift_a_pose
stop_server
step "done: $IMAGE, $(buildah images --format '{{.Size}}' "$IMAGE")"
