package coordinator

import "time"

// FailingAt is a configuration that calls fail at each step at which a process may die.
func FailingAt(cfg Config, fail func(step string)) Config {
	cfg.failpoint = fail
	return cfg
}

// GuardedEvery is a configuration that checks its claim of the spool with this period.
func GuardedEvery(cfg Config, period time.Duration) Config {
	cfg.guardEvery = period
	return cfg
}
