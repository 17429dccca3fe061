# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: processes, configurations, a wire-level HTTP client, origins."""
