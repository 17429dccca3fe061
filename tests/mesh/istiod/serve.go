// SPDX-License-Identifier: Apache-2.0
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"google.golang.org/protobuf/proto"
	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/test"
	"sigs.k8s.io/yaml"
)

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// Istio's resources and Kubernetes' objects of some files, as istiod's test server takes them.
func readFiles(names []string) (istio, kubernetes string, err error) {
	var resources, objects []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		for _, document := range separator.Split(string(text), -1) {
			var kind struct {
				APIVersion string `json:"apiVersion"`
			}
			if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
				return "", "", fmt.Errorf("%s: %w", name, err)
			}
			group, _, _ := strings.Cut(kind.APIVersion, "/")
			switch {
			case group == "" || strings.HasPrefix(group, "kustomize."):
			case strings.HasSuffix(group, "istio.io"):
				resources = append(resources, document)
			default:
				objects = append(objects, document)
			}
		}
	}
	return strings.Join(resources, "\n---\n"), strings.Join(objects, "\n---\n"), nil
}

// serve is istiod: what it makes of its configuration and of the cluster's objects, over xDS, without authentication. At a hangup it reads its
// files again.
func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	grpcAddress := flags.String("grpc", "", "where proxies ask")
	debugAddress := flags.String("debug", "", "where istiod's debug pages are")
	meshFile := flags.String("mesh", "", "MeshConfig")
	_ = flags.Parse(arguments)
	resources, objects, err := readFiles(flags.Args())
	if err != nil {
		return err
	}
	var meshConfig *meshconfig.MeshConfig
	if *meshFile != "" {
		if meshConfig, err = mesh.ReadMeshConfig(*meshFile); err != nil {
			return err
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
			ConfigString:           resources,
			KubernetesObjectString: objects,
			MeshConfig:             meshConfig,
			ListenerBuilder:        func() (net.Listener, error) { return net.Listen("tcp", *grpcAddress) },
		})
		go func() { fmt.Println(http.ListenAndServe(*debugAddress, server.DiscoveryDebug)) }()
		fmt.Println("istiod: ready")
		for <-signals == syscall.SIGHUP {
			if err := update(server, flags.Args()); err != nil {
				t.Fatal(err)
			}
			fmt.Println("istiod: updated")
		}
	})
}

// update reads the files again and puts Istio's resources that have changed in the place of what is served, as `kubectl apply` would.
func update(server *xds.FakeDiscoveryServer, names []string) error {
	resources, _, err := readFiles(names)
	if err != nil {
		return err
	}
	read, _, err := crd.ParseInputs(resources)
	if err != nil {
		return err
	}
	for _, resource := range read {
		old := server.Store().Get(resource.GroupVersionKind, resource.Name, resource.Namespace)
		if old == nil {
			_, err = server.Store().Create(resource)
		} else if !proto.Equal(old.Spec.(proto.Message), resource.Spec.(proto.Message)) {
			resource.ResourceVersion = old.ResourceVersion
			_, err = server.Store().Update(resource)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
