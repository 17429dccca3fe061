# SPDX-License-Identifier: Apache-2.0
"""The cases of scripts/mesh: what is rendered, in the code of Istio and in Envoy."""
