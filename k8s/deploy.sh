#!/usr/bin/env bash
# deploy.sh OVERLAY: applies k8s/overlays/OVERLAY to the cluster of the current kubeconfig, with
# certificates from `phasegrid certs`, and waits until everything is ready. With cert-manager use
# kubectl apply -k k8s/overlays/cluster instead.
set -euo pipefail
cd "$(dirname "$0")/.."
overlay=${1:?usage: deploy.sh OVERLAY}
phasegrid=${PHASEGRID:-bin/phasegrid}
certs=${CERTS:-.kind/certs}

kubectl apply -f k8s/base/namespace.yaml
"$phasegrid" certs --out "$certs" --namespace phasegrid --kubernetes | kubectl apply -f -
kubectl apply -k "k8s/overlays/$overlay"
for workload in statefulset/phasegrid-etcd statefulset/phasegrid-coordinator deployment/phasegrid-node; do
  kubectl -n phasegrid rollout status "$workload" --timeout="${TIMEOUT:-180s}"
done
