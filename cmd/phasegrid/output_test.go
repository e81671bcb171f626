package main

import "testing"

func TestCounted(t *testing.T) {
	for n, want := range map[int64]string{0: "0 shards", 1: "1 shard", 2: "2 shards", 12345: "12,345 shards"} {
		if got := counted(n, "shard"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
