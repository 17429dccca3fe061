// SPDX-License-Identifier: Apache-2.0

//go:build tools

// What the tests of HTTP/2 run; go.mod and go.sum say which one.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
