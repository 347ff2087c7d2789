"""A campaign that never ends, in a process of its own: says what the archive has acknowledged.

python -m tests.db.writer ARCHIVE FIRST_NUMBER
"""

from __future__ import annotations

import sys

from db.archive import Archive
from db.records import Elite
from tests.db.samples import campaign, judged, kernel, propose


def main(location: str, number: int) -> None:
    """Write until killed; each line is printed after the archive's method has returned."""
    with Archive.open(location) as archive:
        record = campaign(archive)
        print("campaign", record.id, flush=True)
        while True:
            candidate = kernel(number)
            propose(archive, record.id, candidate)
            print("candidate", candidate.digest, flush=True)
            elite = Elite(0, f"cell {number % 5}", candidate.digest, float(number))
            archive.record_evaluation(
                record.id, judged(candidate), random_state=str(number), elite=elite
            )
            print("evaluation", candidate.digest, flush=True)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
