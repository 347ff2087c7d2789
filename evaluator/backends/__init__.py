"""Kernel languages: each with its build, call and diagnose steps."""
