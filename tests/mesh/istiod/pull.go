// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"istio.io/istio/pkg/wasm"
)

// pull fetches images as pilot-agent does, and prints a line for each: the SHA-256 of the module in it, or why there is none.
func pull(names []string) error {
	for _, name := range names {
		fetch, _, err := wasm.NewImageFetcher(context.Background(), wasm.ImageFetcherOption{}).PrepareFetch(name)
		var module []byte
		if err == nil {
			module, err = fetch()
		}
		if err != nil {
			fmt.Printf("%s refused: %q\n", name, err.Error())
			continue
		}
		fmt.Printf("%s module %x\n", name, sha256.Sum256(module))
	}
	return nil
}
