package coordinator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/coordinator/admission"
	"github.com/phasegrid/phasegrid/coordinator/board"
)

// metrics are the Prometheus metrics of a coordinator. No sweep or point is a label.
type metrics struct {
	leader        prometheus.Gauge
	lostSessions  prometheus.Counter
	alarms        prometheus.Gauge
	nodes         prometheus.Gauge
	fenced        prometheus.Gauge
	shards        *prometheus.GaugeVec // by state
	points        *prometheus.CounterVec
	committed     prometheus.Counter
	deliveries    *prometheus.CounterVec // by outcome
	rejected      *prometheus.CounterVec // by reason
	shardSeconds  prometheus.Histogram
	commitSeconds prometheus.Histogram
	spoolSeconds  prometheus.Histogram
	txnSeconds    prometheus.Histogram
	groupShards   prometheus.Histogram
	mergeBytes    prometheus.Counter
	foreignParts  prometheus.Counter
	lostFrames    prometheus.Counter
	requests      *prometheus.CounterVec // by method, code
	open          *prometheus.GaugeVec   // connections by listener
	closed        *prometheus.CounterVec // connections by listener, reason
}

// namespace is the prefix of every metric name.
const namespace = "phasegrid"

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func seconds(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18),
	})
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		leader: gauge("leader", "Whether this coordinator is the leader (1) or not (0)."),
		lostSessions: counter(
			"lease_renew_failures_total", "Terms that ended because the leader's session expired.",
		),
		alarms: gauge("alarms", "Active alarms."),
		nodes:  gauge("nodes", "Nodes connected to the leader."),
		fenced: gauge("nodes_fenced", "Connected nodes that get no leases because too many failed on them."),
		shards: prometheus.NewGaugeVec(
			prometheus.GaugeOpts{
				Namespace: namespace,
				Name:      "shards",
				Help:      "Shards of sweeps that have not ended, by state.",
			},
			[]string{"state"},
		),
		points:        counters("points_total", "Points committed, by status.", "status"),
		committed:     counter("shards_committed_total", "Shards committed."),
		deliveries:    counters("deliveries_total", "Verified deliveries, by outcome.", "outcome"),
		rejected:      counters("results_rejected_total", "Deliveries rejected, by reason.", "reason"),
		shardSeconds:  seconds("shard_duration_seconds", "Time that a node took for a committed shard."),
		commitSeconds: seconds("commit_seconds", "Time from a verified delivery to its answer."),
		spoolSeconds:  seconds("spool_write_seconds", "Time to write and sync one group of shards to the spool."),
		txnSeconds:    seconds("etcd_txn_seconds", "Time of one ledger transaction."),
		groupShards: prometheus.NewHistogram(
			prometheus.HistogramOpts{
				Namespace: namespace,
				Name:      "commit_group_shards",
				Help:      "Shards in one group commit.",
				Buckets:   prometheus.ExponentialBuckets(1, 2, 11),
			},
		),
		mergeBytes: counter("merge_bytes_total", "Bytes of Parquet published."),
		foreignParts: counter(
			"foreign_parts_total",
			"Attempts to store a part that failed because a file with different contents had its name.",
		),
		lostFrames: counter(
			"spool_frames_lost_total",
			"Committed shards that were computed again because their bytes in the spool were gone or damaged.",
		),
		requests: counters("rpc_requests_total", "Calls answered, by method and code.", "method", "code"),
		open: prometheus.NewGaugeVec(
			prometheus.GaugeOpts{Namespace: namespace, Name: "connections", Help: "Open connections, by listener."},
			[]string{"listener"},
		),
		closed: counters(
			"connections_closed_total",
			"Connections that the coordinator closed because there were too many, by listener and reason.",
			"listener", "reason",
		),
	}
	r.MustRegister(
		m.leader, m.lostSessions, m.alarms, m.nodes, m.fenced, m.shards, m.points, m.committed, m.deliveries,
		m.rejected, m.shardSeconds, m.commitSeconds, m.spoolSeconds, m.txnSeconds, m.groupShards, m.mergeBytes,
		m.foreignParts, m.lostFrames, m.requests, m.open, m.closed,
	)
	return m
}

// connections returns the metrics of a listener.
func (m *metrics) connections(listener string) admission.ConnectionMetrics {
	return admission.ConnectionMetrics{
		Open:   m.open.WithLabelValues(listener),
		Closed: func(reason string) { m.closed.WithLabelValues(listener, reason).Inc() },
	}
}

// observeAnswer records the answer to a verified delivery.
func (m *metrics) observeAnswer(o board.Outcome, took, solving time.Duration) {
	m.commitSeconds.Observe(took.Seconds())
	switch o {
	case board.OutcomeCommitted:
		m.deliveries.WithLabelValues("committed").Inc()
		m.committed.Inc()
		m.shardSeconds.Observe(max(0, solving.Seconds()))
	case board.OutcomeDuplicate:
		m.deliveries.WithLabelValues("duplicate").Inc()
	case board.OutcomeRejected:
		m.rejected.WithLabelValues("solver").Inc()
	default:
		m.deliveries.WithLabelValues("unwanted").Inc()
	}
}

// countPoints counts committed rows.
func (m *metrics) countPoints(c board.Counts) {
	for status, n := range byStatus(c) {
		m.points.WithLabelValues(status).Add(float64(n))
	}
}

// measure sets the gauges from the board; it runs in the loop.
func (t *term) measure() {
	c := t.board.Census()
	for state, n := range map[string]int{
		"open": c.Open, "leased": c.Leased, "committing": c.Committing, "done": c.Done, "quarantined": c.Quarantined,
	} {
		t.metrics.shards.WithLabelValues(state).Set(float64(n))
	}
	t.metrics.fenced.Set(float64(c.Fenced))
	t.metrics.nodes.Set(float64(c.Nodes))
}

// resetLeader resets what only a leader reports, so that sums over coordinators count nothing
// twice. Call it after the loop has ended.
func (m *metrics) resetLeader() {
	m.nodes.Set(0)
	m.fenced.Set(0)
	m.shards.Reset()
	m.leader.Set(0)
}
