#!/usr/bin/env bash
# kind.sh up          creates a kind cluster, loads the image and deploys phasegrid
# kind.sh run SWEEP   submits a sweep file, watches it and fetches its results
# kind.sh down        deletes the cluster; results stay
#
# State is in .kind: the kubeconfig, the certificates and the store. KIND_IMAGE selects the kind
# node image, OUT the folder for results (results).
set -euo pipefail
cd "$(dirname "$0")/.."
name=${KIND_NAME:-phasegrid}
phasegrid=${PHASEGRID:-bin/phasegrid}
export KUBECONFIG=$PWD/.kind/kubeconfig

need() { command -v "$1" >/dev/null || { echo "kind.sh: $1 is not installed; see k8s/README.md" >&2; exit 1; }; }
client() {
  local command=$1; shift
  "$phasegrid" "$command" --coordinator 127.0.0.1:7443,127.0.0.1:7444 \
    --tls-cert .kind/certs/client.crt --tls-key .kind/certs/client.key --tls-ca .kind/certs/ca.crt "$@"
}

up() {
  need kind; need kubectl
  mkdir -p .kind/store
  chmod 0777 .kind/store   # coordinators run as another user
  if ! kind get clusters 2>/dev/null | grep -qx "$name"; then
    sed "s#@STORE@#$PWD/.kind/store#" k8s/kind.yaml |
      kind create cluster --name "$name" --config - --wait 120s ${KIND_IMAGE:+--image "$KIND_IMAGE"}
  fi
  if [ -f bin/image.tar ]; then
    kind load image-archive --name "$name" bin/image.tar
  else
    kind load docker-image --name "$name" phasegrid:dev
  fi
  k8s/deploy.sh kind
  echo "up. Next: make kind-run SWEEP=${SWEEP:-sweep/examples/spiked-phase-diagram.yaml}"
}

run() {
  local id
  id=$(client submit "$1" -o json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -1)
  client watch "$id"
  client fetch "$id" --out "${OUT:-results}"
}

down() {
  need kind
  kind delete cluster --name "$name"
  rm -rf .kind/kubeconfig .kind/certs
  echo "down. The store is kept in .kind/store"
}

case ${1:-} in
  up) up ;;
  run) run "${2:?usage: kind.sh run SWEEP}" ;;
  down) down ;;
  *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
