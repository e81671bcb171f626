package main

import (
	"path/filepath"
	"testing"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

func makeCerts(t *testing.T, folder string) {
	t.Helper()
	if got := phasegrid(t, "certs", "--out", folder, "--days", "1"); got.code != exitDone {
		t.Fatal(got.stderr)
	}
}

func optionsFor(folder, role string) client.TLS {
	return client.TLS{
		Cert: filepath.Join(folder, role+".crt"),
		Key:  filepath.Join(folder, role+".key"),
		CA:   filepath.Join(folder, "ca.crt"),
	}
}
