"""The one word that ends every candidate's evaluation."""

import enum


class Outcome(enum.StrEnum):
    """What became of a candidate. Every candidate ends in exactly one of these."""

    OK = "ok"
    """Built, agrees with the reference on every check, and was timed."""
    SCREENED_OUT = "screened_out"
    """Refused before building: not a text that can be a kernel (courtesy, saves time)."""
    BUILD_FAILED = "build_failed"
    """The compiler or the linker refused it, or it lacks the `kernel` symbol."""
    CRASHED = "crashed"
    """Its process ended by a signal, by exit, or by an exception."""
    TIMED_OUT = "timed_out"
    """It did not answer within its time limit."""
    OUT_OF_MEMORY = "out_of_memory"
    """It exceeded its memory limit."""
    INCORRECT = "incorrect"
    """An output differs from the reference by more than the numeric policy allows."""
    TAMPERED = "tampered"
    """It broke a rule of the protocol: inputs or guard bytes changed, work outside the window,
    or a time below what the hardware can do."""
    UNSTABLE = "unstable"
    """Its outputs differ from run to run although the problem forbids it."""
    INFRA_ERROR = "infra_error"
    """Our side failed (sandbox, disk, machine); says nothing about the candidate."""
    UNMEASURED = "unmeasured"
    """Built for hardware that is not here."""

    @property
    def is_candidates_fault(self) -> bool:
        """True where a repaired source could have done better."""
        return self not in (Outcome.OK, Outcome.INFRA_ERROR, Outcome.UNMEASURED)
