package k8s_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/server/v3/embed"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	kind "sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var update = flag.Bool("update", false, "write the golden files anew")

// overlays with the number of their workloads: a whole cluster has etcd,
// coordinators and nodes.
func overlays() map[string]int { return map[string]int{"kind": 3, "cluster": 3, "previous-nodes": 1} }

// build is what `kubectl kustomize overlays/NAME` prints.
func build(t *testing.T, overlay string) []byte {
	t.Helper()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy // kubectl's
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join("overlays", overlay))
	if err != nil {
		t.Fatalf("kustomize overlays/%s: %v", overlay, err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decode reads every document against its Kubernetes type; unknown and repeated
// fields are errors.
func decode(t *testing.T, manifests []byte) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, networkingv1.AddToScheme,
		policyv1.AddToScheme, certmanager.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(
		json.DefaultMetaFactory,
		scheme,
		scheme,
		json.SerializerOptions{Yaml: true, Strict: true},
	)
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	var objects []runtime.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Errorf("%v\n%s", err, document)
			continue
		}
		objects = append(objects, object)
	}
}

// workload is a pod template with its owner.
type workload struct {
	name     string
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
}

func workloads(objects []runtime.Object) []workload {
	var found []workload
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.Deployment:
			found = append(found, workload{o.Name, o.Spec.Selector, o.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{o.Name, o.Spec.Selector, o.Spec.Template})
		}
	}
	return found
}

// eachOverlay runs a check on every overlay's objects.
func eachOverlay(t *testing.T, check func(t *testing.T, objects []runtime.Object)) {
	for overlay, want := range overlays() {
		t.Run(overlay, func(t *testing.T) {
			objects := decode(t, build(t, overlay))
			if got := len(workloads(objects)); got != want {
				t.Fatalf("%d workloads, want %d", got, want)
			}
			check(t, objects)
		})
	}
}

func TestOverlaysAreAsReviewed(t *testing.T) {
	for overlay := range overlays() {
		got, golden := build(t, overlay), filepath.Join("testdata", overlay+".golden.yaml")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs (-want +got); review it, then go test ./k8s -update\n%s", golden, diff)
		}
	}
}

func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	eachOverlay(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &w.pod.ObjectMeta, &w.pod.Spec))
			if !result.Allowed {
				t.Errorf("%s: %s", w.name, result.ForbiddenDetail())
			}
			if mount := w.pod.Spec.AutomountServiceAccountToken; mount == nil || *mount {
				t.Errorf("%s mounts a token", w.name)
			}
			for _, container := range w.pod.Spec.Containers {
				if only := container.SecurityContext.ReadOnlyRootFilesystem; only == nil || !*only {
					t.Errorf("%s: the root file system can be written", w.name)
				}
			}
		}
	})
}

func TestGoFollowsTheLimits(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			for _, container := range w.pod.Spec.Containers {
				from := map[string]string{}
				for _, env := range container.Env {
					if env.ValueFrom != nil && env.ValueFrom.ResourceFieldRef != nil {
						from[env.Name] = env.ValueFrom.ResourceFieldRef.Resource
					}
				}
				want := map[string]string{"GOMAXPROCS": "limits.cpu", "GOMEMLIMIT": "requests.memory"}
				if diff := cmp.Diff(want, from); diff != "" {
					t.Errorf("%s (-want +got)\n%s", w.name, diff)
				}
				request, limit := container.Resources.Requests, container.Resources.Limits
				if request.Memory().IsZero() || request.Memory().Cmp(*limit.Memory()) >= 0 {
					t.Errorf("%s: GOMEMLIMIT is the request of memory (%s), which must leave room under the limit (%s)",
						w.name, request.Memory(), limit.Memory())
				}
				if request.Cpu().IsZero() || limit.Cpu().IsZero() {
					t.Errorf("%s: no request or limit of CPU", w.name)
				}
			}
		}
	})
}

func TestProbesOutliveEtcd(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			for _, c := range w.pod.Spec.Containers {
				if c.StartupProbe == nil || c.ReadinessProbe == nil || c.LivenessProbe == nil {
					t.Errorf("%s lacks a probe", w.name)
					continue
				}
				if c.Name == "etcd" {
					continue
				}
				if c.ReadinessProbe.GRPC == nil || c.LivenessProbe.GRPC == nil {
					t.Errorf("%s: probes are not gRPC's", w.name)
				} else if service := c.LivenessProbe.GRPC.Service; service == nil || *service != "live" {
					t.Errorf("%s: liveness asks for more than life", w.name)
				}
			}
		}
	})
}

// TestSelectorsFindTheirPods holds everything that selects pods by label against
// the pods there are.
func TestSelectorsFindTheirPods(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []runtime.Object) {
		pods := workloads(objects)
		matching := func(selector *metav1.LabelSelector) []string {
			s, err := metav1.LabelSelectorAsSelector(selector)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, w := range pods {
				set := labels.Set{"statefulset.kubernetes.io/pod-name": w.name + "-0"}
				if s.Matches(labels.Merge(set, w.pod.Labels)) ||
					s.Matches(
						labels.Merge(labels.Set{"statefulset.kubernetes.io/pod-name": w.name + "-1"}, w.pod.Labels),
					) {
					names = append(names, w.name)
				}
			}
			return names
		}
		budgets := map[string]bool{}
		for _, object := range objects {
			switch o := object.(type) {
			case *appsv1.Deployment, *appsv1.StatefulSet:
			case *corev1.Service:
				if got := matching(&metav1.LabelSelector{MatchLabels: o.Spec.Selector}); len(got) != 1 {
					t.Errorf("Service %s selects %v", o.Name, got)
				}
			case *policyv1.PodDisruptionBudget:
				got := matching(o.Spec.Selector)
				if !slices.Equal(got, []string{o.Name}) {
					t.Errorf("PodDisruptionBudget %s selects %v", o.Name, got)
				}
				budgets[o.Name] = true
			case *networkingv1.NetworkPolicy:
				if got := matching(&o.Spec.PodSelector); len(got) == 0 {
					t.Errorf("NetworkPolicy %s selects no pod", o.Name)
				}
			case *autoscalingv2.HorizontalPodAutoscaler:
				if !slices.ContainsFunc(pods, func(w workload) bool { return w.name == o.Spec.ScaleTargetRef.Name }) {
					t.Errorf("HorizontalPodAutoscaler %s scales nothing", o.Name)
				}
			}
		}
		for _, w := range pods {
			if got := matching(w.selector); !slices.Equal(got, []string{w.name}) {
				t.Errorf("%s selects the pods of %v", w.name, got)
			}
			if !budgets[w.name] {
				t.Errorf("%s has no PodDisruptionBudget", w.name)
			}
		}
	})
}

func TestEverythingIsDeniedByDefault(t *testing.T) {
	for _, overlay := range []string{"kind", "cluster"} {
		denied := slices.ContainsFunc(decode(t, build(t, overlay)), func(object runtime.Object) bool {
			p, ok := object.(*networkingv1.NetworkPolicy)
			return ok && len(p.Spec.PodSelector.MatchLabels) == 0 && len(p.Spec.Ingress) == 0 &&
				len(p.Spec.Egress) == 0 &&
				len(p.Spec.PolicyTypes) == 2
		})
		if !denied {
			t.Errorf("%s: no policy denies all ingress and egress of all pods", overlay)
		}
	}
}

// TestPreviousNodesAreApart holds that the two fleets' Deployments, budgets and
// autoscalers never select each other's pods, while the network policies and the
// Secrets of the one serve the other.
func TestPreviousNodesAreApart(t *testing.T) {
	present, previous := workloads(decode(t, build(t, "cluster"))), workloads(decode(t, build(t, "previous-nodes")))
	node := present[slices.IndexFunc(present, func(w workload) bool { return w.name == "phasegrid-node" })]
	old := previous[0]
	for _, pair := range [][2]workload{{node, old}, {old, node}} {
		selector, err := metav1.LabelSelectorAsSelector(pair[0].selector)
		if err != nil {
			t.Fatal(err)
		}
		if selector.Matches(labels.Set(pair[1].pod.Labels)) {
			t.Errorf("%s selects the pods of %s", pair[0].name, pair[1].name)
		}
	}
	if old.pod.Spec.ServiceAccountName != node.pod.Spec.ServiceAccountName {
		t.Errorf("previous nodes run as %s, which is nobody's", old.pod.Spec.ServiceAccountName)
	}
	for _, label := range []string{"app.kubernetes.io/name", "app.kubernetes.io/component"} {
		if old.pod.Labels[label] != node.pod.Labels[label] {
			t.Errorf("previous nodes have %s=%q, which no network policy knows", label, old.pod.Labels[label])
		}
	}
}

// TestEtcdTakesItsArguments parses them with etcd's own flags.
func TestEtcdTakesItsArguments(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			for _, container := range w.pod.Spec.Containers {
				if container.Name != "etcd" {
					continue
				}
				config := embed.NewConfig()
				flags := flag.NewFlagSet("etcd", flag.ContinueOnError)
				config.AddFlags(flags)
				for i, arg := range container.Args {
					container.Args[i] = strings.ReplaceAll(arg, "$(POD_NAME)", w.name+"-0")
				}
				if err := flags.Parse(container.Args); err != nil || flags.NArg() > 0 {
					t.Errorf("%v; left over: %v", err, flags.Args())
				}
			}
		}
	})
}

// TestKindConfigIsKinds decodes kind.yaml as kind does, and holds its ports and
// its shared folder against the overlay that counts on them.
func TestKindConfigIsKinds(t *testing.T) {
	text, err := os.ReadFile("kind.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cluster kind.Cluster
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&cluster); err != nil {
		t.Fatal(err)
	}
	kind.SetDefaultsCluster(&cluster)
	nodePorts, folders := map[int32]bool{}, map[string]int{}
	for _, node := range cluster.Nodes {
		for _, mapping := range node.ExtraPortMappings {
			nodePorts[mapping.ContainerPort] = true
		}
		for _, mount := range node.ExtraMounts {
			folders[mount.ContainerPath]++
		}
	}
	for _, object := range decode(t, build(t, "kind")) {
		switch o := object.(type) {
		case *corev1.Service:
			for _, port := range o.Spec.Ports {
				if port.NodePort != 0 && !nodePorts[port.NodePort] {
					t.Errorf("Service %s: node port %d is not mapped to the host", o.Name, port.NodePort)
				}
			}
		case *corev1.PersistentVolume:
			if folders[o.Spec.HostPath.Path] != len(cluster.Nodes) {
				t.Errorf("PersistentVolume %s: %s is not mounted into every machine", o.Name, o.Spec.HostPath.Path)
			}
		}
	}
}
