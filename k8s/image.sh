#!/usr/bin/env bash
# image.sh [IMAGE]: builds the container image (phasegrid:dev).
#
# It uses docker or podman and the builder image of k8s/Containerfile where that can be pulled.
# Otherwise the binary is built by this host's Go and packed into bin/image.tar, an archive for
# `docker load`, `podman load`, `ctr images import` and `kind load image-archive`; the same commit
# gives the same bytes. BUILDER=host forces that, ENGINE=podman uses podman.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:-phasegrid:dev}
builder=${BUILDER:-$(sed -n 's/^ARG BUILDER=//p' k8s/Containerfile)}
engine=${ENGINE:-$(command -v docker || command -v podman || true)}

has_builder() {
  [ "$builder" != host ] && [ -n "$engine" ] || return 1
  "$engine" image inspect "$builder" >/dev/null 2>&1 || timeout 60 "$engine" pull -q "$builder" >/dev/null 2>&1
}

# pack BINARY ARCHIVE: one layer with the binary; all times are the commit's.
pack() {
  local binary=$1 archive=$2 epoch created arch layer config
  epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$epoch" +%Y-%m-%dT%H:%M:%SZ)
  arch=$(go env GOARCH)
  local work; work=$(mktemp -d); trap 'rm -rf "$work"' RETURN
  archive_of() { tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=ustar "$@"; }
  mkdir "$work/layer" "$work/image"
  install -m 0755 "$binary" "$work/layer/phasegrid"
  archive_of -C "$work/layer" -cf "$work/layer.tar" phasegrid
  layer=$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)
  mv "$work/layer.tar" "$work/image/$layer.tar"
  printf '{"architecture":"%s","config":{"Entrypoint":["/phasegrid"],"Labels":{"org.opencontainers.image.revision":"%s","org.opencontainers.image.title":"phasegrid"},"User":"65532:65532","WorkingDir":"/"},"created":"%s","history":[{"created":"%s","created_by":"k8s/image.sh"}],"os":"linux","rootfs":{"diff_ids":["sha256:%s"],"type":"layers"}}' \
    "$arch" "$(git rev-parse HEAD)" "$created" "$created" "$layer" >"$work/config.json"
  config=$(sha256sum <"$work/config.json" | cut -d' ' -f1)
  mv "$work/config.json" "$work/image/$config.json"
  printf '[{"Config":"%s.json","Layers":["%s.tar"],"RepoTags":["%s"]}]\n' "$config" "$layer" "$image" >"$work/image/manifest.json"
  archive_of -C "$work/image" -cf "$archive" manifest.json "$config.json" "$layer.tar"
  echo "$image is sha256:$config, $(gzip -1 -c "$archive" | wc -c | awk '{printf "%.1f MB", $1/1e6}') compressed: $archive"
}

if has_builder; then
  rm -f bin/image.tar
  "$engine" build -f k8s/Containerfile --build-arg "BUILDER=$builder" -t "$image" .
else
  echo "no builder image: building with $(go version | cut -d' ' -f3) of this host" >&2
  mkdir -p bin/image
  CGO_ENABLED=0 GOOS=linux GOEXPERIMENT=simd GOAMD64=v1 go build -trimpath -buildvcs=true -ldflags='-s -w' -o bin/image/phasegrid ./cmd/phasegrid
  pack bin/image/phasegrid bin/image.tar
  if [ -n "$engine" ] && "$engine" info >/dev/null 2>&1; then "$engine" load -q -i bin/image.tar; fi
fi
