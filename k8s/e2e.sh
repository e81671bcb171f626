#!/usr/bin/env bash
# e2e.sh: checks phasegrid on a real cluster and prints a table. It uses any kubeconfig
# (KUBECONFIG, or that of kind.sh), deploys the overlay if it is not there (OVERLAY, default kind;
# the image must be loaded), runs a sweep (SWEEP, or one that lasts SECONDS_ON_HOST) while it kills
# and restarts pods, and compares the results with `phasegrid run` on this host.
#
# Exit codes: 0 all passed or no cluster, 1 a check failed.
# shellcheck disable=SC2317  # functions are called by name, through check
set -uo pipefail
cd "$(dirname "$0")/.." || exit
phasegrid=${PHASEGRID:-bin/phasegrid}
sweep=${SWEEP:-k8s/testdata/e2e.yaml}
overlay=${OVERLAY:-kind}
export CERTS=${CERTS:-.kind/certs}
[ -n "${KUBECONFIG:-}" ] || { [ -f .kind/kubeconfig ] && export KUBECONFIG=$PWD/.kind/kubeconfig; }

skip_all() { echo "e2e-k8s: skipped: $1"; exit 0; }
command -v kubectl >/dev/null || skip_all "kubectl is not installed"
kubectl --request-timeout=10s get --raw /readyz >/dev/null 2>&1 ||
  skip_all "no cluster answers; set KUBECONFIG, or run make kind-up first"

work=$(mktemp -d)
forwards=()
finish() {
  for pid in "${forwards[@]}"; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

k() { kubectl -n phasegrid "$@"; }
failed=0
table=$work/table
note() { printf '%-9s %-64s %s\n' "$1" "$2" "${3:-}" | tee -a "$table"; }
pass() { note passed "$@"; }
fail() { failed=1; note FAILED "$@"; }
skip() { note skipped "$@"; }
# check NAME COMMAND...: passes if the command does; its last line is shown.
check() {
  local name=$1 start=$SECONDS; shift
  if "$@" >"$work/out" 2>&1; then pass "$name" "$((SECONDS - start)) s"; else fail "$name" "$(tail -1 "$work/out")"; fi
}
# refused NAME WORDS COMMAND...: passes if the command fails and says WORDS.
refused() {
  local name=$1 words=$2; shift 2
  if "$@" >"$work/out" 2>&1; then fail "$name" "it was accepted"
  elif grep -Eqi "$words" "$work/out"; then pass "$name"
  else fail "$name" "other reason: $(tail -1 "$work/out")"; fi
}
# eventually SECONDS COMMAND...
eventually() {
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.5; done
}

# --- the cluster and connections to it
if ! k get statefulset phasegrid-coordinator >/dev/null 2>&1; then
  k8s/deploy.sh "$overlay" || { echo "e2e-k8s: overlay $overlay did not become ready" >&2; exit 1; }
fi
[ -f "$CERTS/client.crt" ] || { echo "e2e-k8s: no certificates in $CERTS; set CERTS to the folder that deploy.sh used" >&2; exit 1; }

all_ready() {
  local w
  for w in statefulset/phasegrid-etcd statefulset/phasegrid-coordinator deployment/phasegrid-node; do
    k rollout status "$w" --timeout=180s || return 1
  done
}

# forward POD REMOTE LOCAL: forwards a port of the pod, again after the pod was replaced.
forward() {
  local pid
  while :; do
    kubectl -n phasegrid port-forward "pod/$1" "$3:$2" >/dev/null 2>&1 &
    pid=$!
    trap 'kill $pid 2>/dev/null; exit' TERM
    wait "$pid"
    sleep 0.3
  done
}
coordinators=$(k get statefulset phasegrid-coordinator -o jsonpath='{.spec.replicas}')
addresses=
for ((i = 0; i < coordinators; i++)); do
  port=$((27443 + i))
  forward "phasegrid-coordinator-$i" 7443 $port & forwards+=($!)
  addresses+=${addresses:+,}127.0.0.1:$port
done
forward phasegrid-etcd-0 2379 27379 & forwards+=($!)

as() { # as ROLE COMMAND ARGS...
  local role=$1 command=$2; shift 2
  "$phasegrid" "$command" --coordinator "$addresses" \
    --tls-cert "$CERTS/$role.crt" --tls-key "$CERTS/$role.key" --tls-ca "$CERTS/ca.crt" "$@"
}
field() { sed -n 's/.*"'"$1"'": *"\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' | head -1; }
status_of() { as client status "$id" -o json 2>/dev/null | field "$1"; }
phase() { status_of phase; }
done_shards() { local n; n=$(status_of shards_done); echo "${n:-0}"; }
has_phase() { [ "$(phase)" = "$1" ]; }
more_shards() { [ "$(done_shards)" -gt "$1" ]; }
# leader prints the coordinator that leads.
leader() {
  local i
  for ((i = 0; i < coordinators; i++)); do
    k get --raw "/api/v1/namespaces/phasegrid/pods/phasegrid-coordinator-$i:9464/proxy/readyz" 2>/dev/null |
      grep -q leader && { echo "phasegrid-coordinator-$i"; return; }
  done
  return 1
}
node_pods() { k get pods -l app.kubernetes.io/component=node --field-selector=status.phase=Running -o name; }
hosts() { kubectl get nodes -o name | wc -l; }

check "etcd, coordinators and nodes are ready" all_ready
check "one coordinator leads" eventually 60 leader

# --- roles
refused "a node certificate cannot submit" "PermissionDenied|role" as node submit "$sweep"
# A node retries forever: a few seconds are enough.
intrude() { as client node --name intruder --log-level debug & local pid=$!; sleep 5; kill "$pid"; wait "$pid"; return 1; }
refused "a client certificate cannot take or deliver work" "PermissionDenied.*role node" intrude
refused "a caller without a certificate is rejected" "certificate|handshake|EOF|reset|unavailable" \
  "$phasegrid" ls --coordinator "$addresses" --insecure
etcd_version() { # etcd_version ROLE
  curl -fsS --max-time 10 --cacert "$CERTS/ca.crt" --cert "$CERTS/$1.crt" --key "$CERTS/$1.key" https://127.0.0.1:27379/version
}
if command -v curl >/dev/null; then
  check "a coordinator certificate opens etcd" eventually 30 etcd_version coordinator
  for role in node client; do
    # A rejected handshake ends the port-forward, which then restarts.
    eventually 30 etcd_version coordinator >/dev/null 2>&1
    refused "a $role certificate does not open etcd" "curl: \((35|52|55|56)\)" etcd_version "$role"
  done
else
  skip "certificates at etcd" "curl is not installed"
fi

# --- a sweep under disturbances
# The sweep must outlast the disturbances: with SWEEP not given, its replicates are
# as many as keep this host busy for SECONDS_ON_HOST.
run_here() { "$phasegrid" run "$sweep" --out "$work/$1" --state "$work/$1.state" >"$work/run.log" 2>&1; }
# milliseconds REPLICATES: run time of that many replicates on this host.
milliseconds() {
  local start; start=$(date +%s%N)
  sed "s/^replicates: .*/replicates: $1/" k8s/testdata/e2e.yaml >"$work/e2e.yaml"
  run_here "replicates-$1" || { tail -3 "$work/run.log" >&2; return 1; }
  echo $((($(date +%s%N) - start) / 1000000))
}
if [ -z "${SWEEP:-}" ]; then
  sweep=$work/e2e.yaml
  few=$(milliseconds 1) && many=$(milliseconds 11) || exit 1
  each=$(((many - few) / 10))
  budget=$((${SECONDS_ON_HOST:-120} * 1000))
  sed "s/^replicates: .*/replicates: $((budget / (each > 0 ? each : 1) + 1))/" k8s/testdata/e2e.yaml >"$sweep"
fi
run_here host & host_run=$!
as client rm e2e >/dev/null 2>&1   # left by an earlier run of this script
submitted() { id=$(as client submit "$sweep" -o json 2>"$work/submit.log" | field id); [ -n "$id" ]; }
eventually 30 submitted || { fail "a client certificate submits" "$(tail -1 "$work/submit.log")"; exit 1; }
pass "a client certificate submits" "$id"

# goes_on: the sweep makes progress after a disturbance.
goes_on() {
  local before; before=$(done_shards)
  eventually 90 more_shards_or_done "$before"
}
more_shards_or_done() { has_phase "done" || more_shards "$1"; }
during() { # during NAME COMMAND...
  local name=$1; shift
  has_phase "done" && { fail "$name" "the sweep ended too early: use a longer SWEEP"; return; }
  check "$name" eval "$* && goes_on"
}
delete_nodes() { local pods; mapfile -t pods < <(node_pods); k delete --grace-period=0 --force --wait=false "${pods[@]}"; }
delete_leader() { k delete pod "$(leader)" --grace-period=0 --force --wait=false; }

check "shards are done" eventually 90 more_shards 0
during "every node pod killed: the sweep continues" delete_nodes
during "leader killed: another one leads and the sweep continues" delete_leader
during "an etcd pod killed: the sweep continues" k delete pod phasegrid-etcd-1 --grace-period=0 --force --wait=false
check "everything is ready again" all_ready

# --- drain
drained() { # drained POD: it ended within its grace period and logged a drain
  local pod=$1 grace start=$SECONDS
  grace=$(k get "$pod" -o jsonpath='{.spec.terminationGracePeriodSeconds}')
  k logs -f "$pod" >"$work/drain.log" 2>/dev/null & local logs=$!
  k delete "$pod" --wait --timeout="$((grace + 30))s" || return 1
  wait "$logs"
  [ $((SECONDS - start)) -lt "$grace" ] || { echo "took $((SECONDS - start)) s of $grace s"; return 1; }
  grep -qi drain "$work/drain.log" || { echo "its log does not mention a drain"; return 1; }
}
losses() { as client status "$id" -o json | grep -c '"attempts"' || true; }
before=$(losses)
during "a deleted node hands its work back within its grace period" drained "$(node_pods | head -1)"
after=$(losses)
name="its drain is not a lease failure"
if [ "$after" -le "$before" ]; then pass "$name"; else fail "$name" "$before lease failures before, $after after"; fi
if [ "$(hosts)" -gt 1 ]; then
  machine=$(k get "$(node_pods | head -1)" -o jsonpath='{.spec.nodeName}')
  check "a machine is drained of its nodes" kubectl drain "$machine" --ignore-daemonsets --delete-emptydir-data \
    --pod-selector=app.kubernetes.io/component=node --timeout=120s
  kubectl uncordon "$machine" >/dev/null
else
  skip "a machine is drained of its nodes" "the cluster has one machine"
fi

restart_all() {
  k rollout restart statefulset/phasegrid-etcd statefulset/phasegrid-coordinator deployment/phasegrid-node && all_ready
}
during "rolling restart of everything: the sweep continues" restart_all
check "the sweep ends" eventually "${SWEEP_TIMEOUT:-900}" has_phase "done"

# --- results
fetched() { as client fetch "$id" --out "$work/cluster"; }
check "results are fetched and verified" eventually 30 fetched
host_done() { wait "$host_run" || { tail -3 "$work/run.log"; return 1; }; }
check "the same sweep runs on this host" host_done
same_bytes() {
  local host cluster
  host=$(cd "$work"/host/*/ && find points trajectories coefficients -name '*.parquet' -exec sha256sum {} + 2>/dev/null | sort -k2)
  cluster=$(cd "$work"/cluster/*/ && find points trajectories coefficients -name '*.parquet' -exec sha256sum {} + 2>/dev/null | sort -k2)
  if [ -z "$host" ] || [ "$host" != "$cluster" ]; then
    echo "$(wc -l <<<"$host") files on the host, $(wc -l <<<"$cluster") from the cluster, bytes differ"
    return 1
  fi
}
check "Parquet of cluster and host is byte-identical" same_bytes
quarantined() { [ "$(status_of shards_quarantined)" -eq 0 ]; }
check "no shard is quarantined" quarantined

# --- network policies, from pods with and without the labels that they select
# reaches NAME LABELS SECRET ADDRESS: whether a pod with these labels gets as far as TLS.
reaches() {
  local name=$1 labels=$2 secret=$3 address=$4 image
  image=$(k get statefulset phasegrid-coordinator -o jsonpath='{.spec.template.spec.containers[0].image}')
  k delete pod "$name" --ignore-not-found --wait >/dev/null 2>&1
  k apply -f - >/dev/null <<EOF || return 2
apiVersion: v1
kind: Pod
metadata: {name: $name, labels: {$labels}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: ls
      image: $image
      imagePullPolicy: IfNotPresent
      args: [ls, --coordinator=$address, --tls-cert=/tls/tls.crt, --tls-key=/tls/tls.key, --tls-ca=/tls/ca.crt]
      resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: 500m, memory: 256Mi}}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
  volumes: [{name: tls, secret: {secretName: $secret, defaultMode: 0440}}]
EOF
  eventually 90 ended "$name"
  k logs "$name" >"$work/out" 2>&1
  local phase; phase=$(k get pod "$name" -o jsonpath='{.status.phase}')
  k delete pod "$name" --wait=false >/dev/null 2>&1
  # An error from the server counts as reached; no connection does not.
  [ "$phase" = Succeeded ] || ! grep -Eqi 'dial|deadline|lookup' "$work/out"
}
ended() { case $(k get pod "$1" -o jsonpath='{.status.phase}') in Succeeded | Failed) ;; *) return 1 ;; esac; }
if reaches e2e-stranger "e2e: stranger" phasegrid-node-tls phasegrid-etcd:2379; then
  skip "NetworkPolicies" "this cluster does not enforce them: a pod without access reached etcd"
else
  pass "a pod without labels reaches nothing"
  for target in "client phasegrid.io/client phasegrid-coordinator:7443 yes" "client phasegrid.io/client phasegrid-etcd:2379 no" \
    "node app.kubernetes.io/component phasegrid-coordinator:7443 yes" "node app.kubernetes.io/component phasegrid-etcd:2379 no"; do
    read -r role label address want <<<"$target"
    value=$role; [ "$role" = client ] && value=true
    got=no
    if reaches "e2e-$role" "$label: \"$value\"" "phasegrid-$role-tls" "$address"; then got=yes; fi
    name="a $role pod $([ "$want" = yes ] && echo reaches || echo "does not reach") ${address%:*}"
    if [ "$got" = "$want" ]; then pass "$name"; else fail "$name" "$(tail -1 "$work/out")"; fi
  done
fi

echo
echo "== $(grep -c ^passed "$table") passed, $(grep -c ^FAILED "$table") failed, $(grep -c ^skipped "$table") skipped, $SECONDS s"
exit $failed
