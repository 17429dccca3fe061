// SPDX-License-Identifier: Apache-2.0

module filter

go 1.24
