"""Isolation providers and the runner protocol. Knows nothing of kernels or problems."""
