"""Every problem with the embedded proposer: confirmed speedup over the naive seed.

    python -m benchmarks.suite [--evaluations 60] [--problems softmax ...]

Runs `kernelmill optimize` as a user would, one campaign per problem on a fresh archive.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import quiet

HEAD = ["problem", "over the seed", "95 % interval", "over the best PyTorch variant",
        "95 % interval of that", "which", "roofline", "evaluations", "minutes"]  # fmt: skip


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    names = options.problems or _problems()
    with tempfile.TemporaryDirectory() as folder:
        runs = [_campaign(name, options.evaluations, Path(folder)) for name in names]
    mean = math.exp(sum(math.log(_over_seed(run)["estimate"]) for run in runs) / len(runs))
    total = ["geometric mean", f"{mean:.2f}x", "", "", "", "", "", "", ""]
    rows: list[list[object]] = [list(HEAD), *(_row(run) for run in runs), list(total)]
    facts = {"geometric_mean_over_seed": mean, "evaluations": options.evaluations, "runs": runs}
    quiet.write("suite", facts, rows)


def _problems() -> list[str]:
    from evaluator.catalogue import builtin_names

    return builtin_names()


def _campaign(name: str, evaluations: int, folder: Path) -> dict[str, Any]:
    command = Path(sys.executable).parent / "kernelmill"
    done = subprocess.run(
        [command, "optimize", name, "--evaluations", str(evaluations), "--json",
         "--archive", str(folder / "suite.db")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    print(f"{name}: {_over_seed(result)}", file=sys.stderr, flush=True)
    return result


def _over_seed(run: dict[str, Any]) -> dict[str, float]:
    if not run["speedup"]:
        return {"estimate": 1.0, "low": 1.0, "high": 1.0}
    interval: dict[str, float] = run["speedup"]["interval"]
    return interval


def _row(run: dict[str, Any]) -> list[object]:
    best, *others = run["table"]
    own = _over_seed(run)
    rivals = [o for o in others if o["name"] != "seed" and o["best_is"]]
    nearest = min(rivals, key=lambda o: o["best_is"]["interval"]["estimate"], default=None)
    shares = [t["roofline"] for t in best["timings"] if t["roofline"]]
    against, spread, which = "", "", ""
    if nearest:
        ratio = nearest["best_is"]["interval"]
        against, which = f"{ratio['estimate']:.2f}x", nearest["name"]
        spread = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
    return [
        run["problem"], f"{own['estimate']:.2f}x", f"{own['low']:.2f} to {own['high']:.2f}",
        against, spread, which, f"{sum(shares) / max(1, len(shares)):.0%}", run["evaluations"],
        f"{run['seconds'] / 60:.1f}",
    ]  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--evaluations", type=int, default=60)
    parser.add_argument("--problems", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
