"""Errors a user can cause. The command layer prints them as one line and exits with their code."""


class KernelmillError(Exception):
    """Base class: the message is one line that says what happened and what to do."""

    exit_code = 2


class ProblemError(KernelmillError):
    """A problem folder is missing, unreadable or inconsistent."""


class SourceError(KernelmillError):
    """A kernel source cannot be read (missing, not UTF-8, a directory)."""


class ToolchainError(KernelmillError):
    """A compiler or another tool that is needed is not installed."""


class ConfigError(KernelmillError):
    """A configuration file or flag is wrong."""


class InfrastructureError(KernelmillError):
    """This machine failed us (sandbox died, disk full); no candidate is to blame."""

    exit_code = 3
