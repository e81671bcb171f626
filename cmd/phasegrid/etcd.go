package main

import (
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

// etcdCommand is an etcd server with etcd's own flags: what `bench chaos` starts three of. Hidden,
// because clusters are better served by an etcd of their own.
func etcdCommand() *cobra.Command {
	return &cobra.Command{
		Use: "etcd", Short: "Run an etcd member, for bench chaos", Hidden: true,
		DisableFlagParsing: true,
		// etcd reads no PHASEGRID_* variables, and ends the process itself.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		Run:               func(_ *cobra.Command, args []string) { etcdmain.Main(append([]string{"etcd"}, args...)) },
	}
}
