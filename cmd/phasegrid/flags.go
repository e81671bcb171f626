package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// defaultCoordinator is the address at which a coordinator listens by default.
const defaultCoordinator = "127.0.0.1:7443"

// sweepOptions are those of every command about one sweep of a cluster.
type sweepOptions struct {
	Client         client.Config
	Sweep          string
	Output         output
	stdout, stderr io.Writer
}

// sweepCommand makes a command whose argument is a sweep.
func (m Main) sweepCommand(name, short string, run func(context.Context, sweepOptions) error) *cobra.Command {
	o := sweepOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   name + " SWEEP",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return run(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	o.Output.addFlag(cmd.Flags())
	return cmd
}

// addClientFlags adds the flags of every command that calls a coordinator.
func addClientFlags(flags *pflag.FlagSet, o *client.Config) {
	flags.StringVar(
		&o.Coordinator,
		"coordinator",
		defaultCoordinator,
		"`address` of the coordinators: host:port, several with commas, or dns:///name:port",
	)
	addTLSFlags(flags, &o.TLS)
}

// addTLSFlags adds the flags of every command that opens or dials a gRPC port.
func addTLSFlags(flags *pflag.FlagSet, o *client.TLS) {
	flags.StringVar(
		&o.Cert,
		"tls-cert",
		"",
		"certificate `file` (PEM) of this process; its role decides what it may call",
	)
	flags.StringVar(&o.Key, "tls-key", "", "private key `file` (PEM) of --tls-cert")
	flags.StringVar(&o.CA, "tls-ca", "", "`file` (PEM) with the authorities that issue the peers' certificates")
	flags.BoolVar(&o.Insecure, "insecure", false, "allow plain text beyond loopback")
}
