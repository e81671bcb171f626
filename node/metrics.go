package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the Prometheus metrics of a node. Sweeps, shards and points are not labels.
type Metrics struct {
	attached prometheus.Gauge
	busy     prometheus.Gauge
	shards   *prometheus.CounterVec // by outcome
	points   *prometheus.CounterVec // by status
	reused   prometheus.Counter
	seconds  prometheus.Histogram
}

// count adds the points of a shard.
func (m *Metrics) count(c pointCounts) {
	for status, n := range c.solved {
		m.points.WithLabelValues(status).Add(float64(n))
	}
	m.reused.Add(float64(c.reused))
}

// NewMetrics creates the metrics and registers them, unless the registerer is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		attached: f.NewGauge(
			prometheus.GaugeOpts{
				Name: "phasegrid_node_attached",
				Help: "1 while the node is attached to a coordinator.",
			},
		),
		busy: f.NewGauge(
			prometheus.GaugeOpts{Name: "phasegrid_node_slots_busy", Help: "Slots that are solving a shard."},
		),
		shards: f.NewCounterVec(prometheus.CounterOpts{
			Name: "phasegrid_node_shards_total",
			Help: "Shards that left this node, by outcome: committed, unwanted, revoked, rejected or abandoned.",
		}, []string{"outcome"}),
		points: f.NewCounterVec(prometheus.CounterOpts{Name: "phasegrid_node_points_total",
			Help: "Points solved, by status."}, []string{"status"}),
		reused: f.NewCounter(prometheus.CounterOpts{Name: "phasegrid_node_points_reused_total",
			Help: "Points reused from earlier result sets."}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name:                        "phasegrid_node_shard_duration_seconds",
			Help:                        "Seconds to solve a shard.",
			NativeHistogramBucketFactor: 1.1,
			Buckets:                     prometheus.ExponentialBuckets(0.001, 4, 10),
		}),
	}
}
