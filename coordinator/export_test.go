package coordinator

// FailingAt is a configuration that calls fail at each step at which a process may die.
func FailingAt(cfg Config, fail func(step string)) Config {
	cfg.failpoint = fail
	return cfg
}
