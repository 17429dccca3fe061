// SPDX-License-Identifier: Apache-2.0
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/sds"
)

// fileSecrets gives what stands in files in the place of what istiod would have signed.
type fileSecrets struct{ certificate, key, root string }

func (f fileSecrets) GenerateSecret(name string) (*security.SecretItem, error) {
	item := &security.SecretItem{ResourceName: name, CreatedTime: time.Now(), ExpireTime: time.Now().Add(time.Hour)}
	var err error
	if name == security.RootCertReqResourceName {
		item.RootCert, err = os.ReadFile(f.root)
		return item, err
	}
	if item.CertificateChain, err = os.ReadFile(f.certificate); err != nil {
		return nil, err
	}
	item.PrivateKey, err = os.ReadFile(f.key)
	return item, err
}

// secrets is pilot-agent's server of certificates, which waypoints need, at its path below the current folder.
func secrets(arguments []string) error {
	flags := flag.NewFlagSet("secrets", flag.ExitOnError)
	var files fileSecrets
	flags.StringVar(&files.certificate, "cert", "", "of the workload, PEM")
	flags.StringVar(&files.key, "key", "", "its key")
	flags.StringVar(&files.root, "root", "", "whom it trusts")
	_ = flags.Parse(arguments)
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	server := sds.NewServer(&security.Options{}, files, nil)
	fmt.Println("istiod: serves", security.GetIstioSDSServerSocketPath())
	<-end
	server.Stop()
	return nil
}
