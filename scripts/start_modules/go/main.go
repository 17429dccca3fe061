// SPDX-License-Identifier: Apache-2.0

// A proxy-wasm filter as Go programs are: fmt, encoding/json, regexp and net/url are in it. For scripts/bench_start.
package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"unsafe"
)

//go:wasmimport env proxy_log
func proxyLog(level uint32, data unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBufferBytes(kind, start, length uint32, data, size unsafe.Pointer) uint32

//go:wasmimport env proxy_replace_header_map_value
func proxyReplaceHeaderMapValue(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) uint32

var (
	kept          = map[uintptr][]byte{}
	configuration map[string]any
	word          = regexp.MustCompile(`^[a-z]+$`)
	requests      int
)

func main() {}

//go:wasmexport proxy_abi_version_0_2_1
func version() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) unsafe.Pointer {
	block := make([]byte, size+1)
	kept[uintptr(unsafe.Pointer(&block[0]))] = block
	return unsafe.Pointer(&block[0])
}

//go:wasmexport proxy_on_vm_start
func vmStart(id, size uint32) uint32 { return 1 }

//go:wasmexport proxy_on_configure
func configure(id, size uint32) uint32 {
	var data, length uint32
	proxyGetBufferBytes(7, 0, size, unsafe.Pointer(&data), unsafe.Pointer(&length))
	text := kept[uintptr(data)][:length]
	if err := json.Unmarshal(text, &configuration); err != nil {
		return 0
	}
	line := fmt.Sprintf("configured: %v %v", configuration, word.MatchString("abc"))
	proxyLog(1, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
	return 1
}

//go:wasmexport proxy_on_context_create
func contextCreate(id, root uint32) {}

//go:wasmexport proxy_on_request_headers
func requestHeaders(id, count, end uint32) uint32 {
	requests++
	name, value := "x-filter", fmt.Sprintf("%d %v", requests, configuration)
	proxyReplaceHeaderMapValue(0, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)),
		unsafe.Pointer(unsafe.StringData(value)), uint32(len(value)))
	return 0
}
