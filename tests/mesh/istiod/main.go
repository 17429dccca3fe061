// SPDX-License-Identifier: Apache-2.0

// Command istiod runs Istio's own code without a cluster, for the tests of tests/mesh:
//
//	istiod serve -grpc ADDRESS -debug ADDRESS [-mesh FILE] FILE...   istiod: serves what it makes of the files over xDS
//	istiod analyze FILE...                                           what `istioctl analyze --use-kube=false` says
//	istiod agent ARGUMENT...                                         pilot-agent
//	istiod pull IMAGE...                                             what pilot-agent finds in images of registries
//	istiod secrets -cert FILE -key FILE -root FILE                   what of it gives Envoy certificates, of files
//
// A file holds Kubernetes objects or Istio's resources, several documents of YAML; it tells them apart itself.
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{"serve": serve, "analyze": analyze, "agent": agent, "pull": pull, "secrets": secrets}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "istiod: one of serve, analyze, agent, pull and secrets; see main.go")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "istiod:", err)
		os.Exit(1)
	}
}
