// SPDX-License-Identifier: Apache-2.0
package main

import (
	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/cmd/pilot-agent/app"
	istioagent "istio.io/istio/pkg/istio-agent"
	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/sds"
)

// agent is pilot-agent, as it runs beside Envoy in a sidecar.
func agent(arguments []string) error {
	root := app.NewRootCommand(
		func(options *security.Options, secrets security.SecretManager, keys *meshconfig.PrivateKeyProvider) istioagent.SDSService {
			return sds.NewServer(options, secrets, keys)
		})
	root.SetArgs(arguments)
	return root.Execute()
}
