"""Measurements of Kernelmill itself: each module writes its figures as JSON."""
