package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics of a node, without sweep, shard or point as labels.
type Metrics struct {
	attached prometheus.Gauge
	busy     prometheus.Gauge
	shards   *prometheus.CounterVec // by outcome
	points   *prometheus.CounterVec // by status
	reused   prometheus.Counter
	seconds  prometheus.Histogram
}

// NewMetrics makes the metrics and registers them; a nil registerer keeps them to itself.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		attached: f.NewGauge(
			prometheus.GaugeOpts{Name: "phasegrid_node_attached", Help: "1 while the coordinator knows this node."},
		),
		busy: f.NewGauge(
			prometheus.GaugeOpts{Name: "phasegrid_node_slots_busy", Help: "Slots that solve a shard."},
		),
		shards: f.NewCounterVec(prometheus.CounterOpts{Name: "phasegrid_node_shards_total",
			Help: "Shards by how they left this node: committed, unwanted, revoked, refused, abandoned."}, []string{"outcome"}),
		points: f.NewCounterVec(prometheus.CounterOpts{Name: "phasegrid_node_points_total",
			Help: "Rows computed, by status."}, []string{"status"}),
		reused: f.NewCounter(prometheus.CounterOpts{Name: "phasegrid_node_points_reused_total",
			Help: "Rows taken from an earlier result set."}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{Name: "phasegrid_node_shard_duration_seconds",
			Help: "Time to solve a shard.", NativeHistogramBucketFactor: 1.1, Buckets: prometheus.ExponentialBuckets(0.001, 4, 10)}),
	}
}
