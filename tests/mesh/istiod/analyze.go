// SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"os"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/local"
)

// analyze prints what the analyzers of `istioctl analyze` find in the files, a line each: "Error [IST0101] ...".
func analyze(names []string) error {
	analyzer := local.NewIstiodAnalyzer(analyzers.AllCombined(), "", "istio-system", nil)
	if err := analyzer.AddDefaultResources(); err != nil {
		return err
	}
	var readers []local.ReaderSource
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		readers = append(readers, local.ReaderSource{Name: name, Reader: file})
	}
	if err := analyzer.AddReaderKubeSource(readers); err != nil {
		return err
	}
	result, err := analyzer.Analyze(make(chan struct{}))
	if err != nil {
		return err
	}
	for _, message := range result.Messages {
		fmt.Println(message.String())
	}
	fmt.Printf("istiod: %d analyzers ran, %d messages\n", len(result.ExecutedAnalyzers), len(result.Messages))
	return nil
}
