"""Types of fields and parts of records: everything bounded, nothing but text and numbers."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

MOST_TEXT = 8 << 20
"""Characters of a source, a prompt, a completion or a log."""
MOST_WORDS = 1 << 16
"""Characters of a description or a message."""
MOST_ENTRIES = 1 << 16
_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def spelled(value: object) -> object:
    """A float that JSON lacks, as a word."""
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def read_number(value: object) -> object:
    """The inverse of `spelled`."""
    return _WORDS.get(value, value) if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_ .+-]{0,119}$")]
"""What may become part of a file's name or be printed anywhere."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*$")]
Words = Annotated[str, StringConstraints(max_length=MOST_WORDS)]
Text = Annotated[str, StringConstraints(max_length=MOST_TEXT)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Number = Annotated[
    float,
    BeforeValidator(read_number),
    PlainSerializer(spelled, return_type=object, when_used="json"),
]
Count = Annotated[int, Field(ge=0, lt=1 << 31)]
Integer = Annotated[int, Field(ge=-(1 << 62), lt=1 << 62)]
Instant = Annotated[AwareDatetime, Field(ge=datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))]
Free = Annotated[dict[str, Any], Field(max_length=MOST_ENTRIES)]
"""A structure of somebody's own: in Parquet, JSON in a text column."""


class Part(BaseModel):
    """A part of a record."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Rounds(Part):
    """Raw interleaved rounds, as columns of one length."""

    candidate: Annotated[list[Number], Field(max_length=MOST_ENTRIES)]
    """Seconds per call."""
    other: Annotated[list[Number], Field(max_length=MOST_ENTRIES)]
    """Seconds per call of the other side."""
    foreign: Annotated[list[Number], Field(max_length=MOST_ENTRIES)]
    """Share of the machine's CPU time that other processes took."""
    used: Annotated[list[bool], Field(max_length=MOST_ENTRIES)]
    """False for a disturbed round, which is kept and does not count."""

    @model_validator(mode="after")
    def _as_long_as_each_other(self) -> Rounds:
        if len({len(self.candidate), len(self.other), len(self.foreign), len(self.used)}) > 1:
            raise ValueError("columns of rounds have different lengths")
        return self


class ComparisonPart(Part):
    """A candidate against another implementation on one workload."""

    workload: Label
    other: Label
    """`seed`, `incumbent`, `self`, `memory traffic`, or a PyTorch variant."""
    phase: Label
    """`race`, `confirm`, `noise` or `baseline`."""
    seconds: Number
    """Median seconds per call."""
    other_seconds: Number
    estimate: Number
    """other_seconds over seconds, from pairs of rounds."""
    low: Number
    """Of the 95 % interval."""
    high: Number
    roofline: Number | None
    """Fraction of the roofline that was reached."""
    rounds: Rounds | None


class SpeedupPart(Part):
    """Over all timed workloads (geometric mean)."""

    other: Label
    estimate: Number
    low: Number
    high: Number
    confirmed: bool
    """From fresh processes with fresh inputs."""
    distinguishable: bool
    """The interval excludes 1 by 2 %, the estimate by the noise floor."""


class EvidencePart(Part):
    """A reason behind an outcome."""

    rule: Words
    message: Text
    workload: Words | None
    details: Free


class CheckPart(Part):
    """Correctness on one workload; errors are in units of what the policy allows."""

    workload: Words
    passed: bool
    max_error: Number | None


class StagePart(Part):
    """How long a stage took, in seconds."""

    name: Label
    seconds: Number


class UnreachedPart(Part):
    """Lines of the source that no workload executed."""

    first: Integer
    last: Integer
    source: Text
    branch: bool
