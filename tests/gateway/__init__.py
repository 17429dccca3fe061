# SPDX-License-Identifier: Apache-2.0
"""What `inlay deploy render gateway` makes, in Envoy Gateway: `make gateway`."""
