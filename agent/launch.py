"""Starting a campaign, or picking one up where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent import assembly, ports, transfer
from agent.assembly import Crew
from agent.breeding import Breeder, Childless
from agent.campaign import Campaign, StopSign
from agent.judge import Judge
from agent.models.choice import OUTSIDE, Choice, choose
from agent.nursery import Nursery
from agent.observer import Beginning, Observer
from agent.outside import Outside
from agent.problem_spec import problem_spec
from agent.proposers.protocol import Child
from agent.random_stream import RandomStream
from agent.recorded_settings import ISOLATION
from agent.replayed import replayed
from agent.report import Report
from agent.reporting import Reporting
from db.archive import Archive
from db.records import CampaignRecord, CampaignState
from evaluator import catalogue
from evaluator.architectures import KNOWN
from evaluator.candidate import Candidate
from evaluator.errors import ConfigError
from evaluator.lease import LOCK_FOLDER
from evaluator.problem import Problem
from evaluator.screen import read_source

if TYPE_CHECKING:
    from agent.cli.config import CampaignConfig


async def start(
    config: CampaignConfig,
    archive: Archive,
    observer: Observer,
    stop: StopSign,
    *,
    want_baselines: bool = True,
    handed: Sequence[Child] = (),
    outside: Outside | None = None,
) -> Report:
    """Run a new campaign.

    Args:
        config: What to search for and how long.
        archive: Open.
        observer: Told what happens.
        stop: Raised to end it early.
        want_baselines: Measure PyTorch at the end.
        handed: Judge these and make no others.
        outside: Where children come in, for a campaign that lives on these.

    Raises:
        KernelmillError: See `Campaign.run`; or there is no such problem, compiler or sandbox.
    """
    problem = catalogue.load(config.problem)
    seed = Candidate(problem.name, config.backend, _seed(config, problem))
    choice = choose(config)
    if choice.name == OUTSIDE and outside is None:
        raise ConfigError(
            "the proposer 'mcp' is an agent that connects to us: start `kernelmill mcp`, and let "
            "it begin the campaign"
        )
    async with (
        _crew(choice, config, outside) as crew,
        _judge(problem, config, observer, outside) as judge,
    ):
        require_target(config.target, judge.target.name)
        problem_id = archive.ensure_problem(problem.name, problem_spec(problem))
        archive.ensure_target(judge.target.name, judge.target.facts)
        stream = RandomStream(config.random_seed)
        record = archive.start_campaign(
            problem_id,
            config.backend,
            judge.target.name,
            {
                **resolved(config, problem, crew),
                ISOLATION: {"provider": judge.sandbox.name, "warning": judge.sandbox.warning},
            },
            config.random_seed,
            stream.state,
        )
        state = CampaignState(record, stream.state)
        with alone(record):
            return await _run(
                state, config, archive, judge, crew, observer, stop, seed, want_baselines, handed
            )


async def resume(
    campaign: int | str,
    config: CampaignConfig,
    archive: Archive,
    observer: Observer,
    stop: StopSign,
    *,
    want_baselines: bool = True,
    outside: Outside | None = None,
) -> Report:
    """Go on with a campaign: what was proposed and not judged first, then the search.

    Args:
        campaign: Its number or the beginning of its key.
        config: Its configuration, possibly with another budget.
        archive: Open.
        observer: Told what happens.
        stop: Raised to end it early.
        want_baselines: Measure PyTorch at the end.
        outside: Where children come in, for a campaign that lives on these; None: nobody is
            connected, so it judges what was handed in, and ends.

    Raises:
        ConfigError: Another process runs it, it is of another target, or its problem has changed.
        KernelmillError: See `start`.
    """
    record = archive.load_campaign(campaign).record
    problem = catalogue.load(config.problem)
    if archive.ensure_problem(problem.name, problem_spec(problem)) != record.problem_id:
        raise ConfigError(
            f"problem {problem.name!r} has changed since campaign {record.id} began, so results "
            f"would not compare; start anew with `kernelmill optimize {config.problem}`"
        )
    choice = choose(config)
    with alone(record):
        async with (
            _crew(choice, config, outside) as crew,
            _judge(problem, config, observer, outside) as judge,
        ):
            require_target(record.target, judge.target.name)
            state = archive.resume_campaign(record.id)
            seed = Candidate(problem.name, config.backend, _recorded_seed(state, problem))
            return await _run(
                state, config, archive, judge, crew, observer, stop, seed, want_baselines
            )


def resolved(config: CampaignConfig, problem: Problem, crew: Crew) -> dict[str, object]:
    """The configuration as it is stored: what was decided stands in it, paths are absolute, and
    nothing is secret (the key never was in it)."""
    found = config.model_dump()
    found["problem"] = catalogue.identity(problem, config.problem)
    found["proposer"] = crew.choice.name
    found["base_url"] = crew.choice.base_url
    found["instructions"] = assembly.instructions(config) or None
    if crew.completer is not None and not config.models:
        found["models"] = [model.name for model in crew.completer.models]
    for name in ("recording", "record", "prices", "seed_file"):
        if found[name] is not None:
            found[name] = str(Path(str(found[name])).expanduser().absolute())
    return found


def require_target(wanted: str | None, here: str) -> None:
    """Refuse to mix targets; an architecture stands for any device that has it.

    Raises:
        ConfigError: The one that is wanted is not the one that is here.
    """
    if wanted in KNOWN and here.startswith(f"{wanted}-"):
        return
    if wanted is not None and wanted != here:
        raise ConfigError(
            f"this machine is target {here}, not {wanted}; results never mix across targets: run "
            "it there, or start a new campaign here"
        )


@contextlib.asynccontextmanager
async def _crew(
    choice: Choice, config: CampaignConfig, outside: Outside | None
) -> AsyncIterator[Crew]:
    """Whoever makes children, let go of at the end."""
    crew = await assembly.crew(choice, config, None if outside is None else outside.inbox)
    try:
        yield crew
    finally:
        if crew.completer is not None:
            await crew.completer.close()


def _judge(
    problem: Problem, config: CampaignConfig, observer: Observer, outside: Outside | None
) -> Judge:
    return Judge(
        problem,
        backend=config.backend,
        sandbox=config.sandbox,
        random_seed=config.random_seed,
        on_stage=observer.stage,
        target=_absent(config),
        thread=None if outside is None else outside.thread,
    )


def _absent(config: CampaignConfig) -> str | None:
    """The target to search for without measuring; None to measure on this machine.

    Raises:
        ConfigError: `unmeasured` without a target.
    """
    if not config.unmeasured:
        return None
    if config.target is None:
        raise ConfigError(
            "--unmeasured needs the hardware to search for: give --target, "
            f"one of {', '.join(KNOWN)}"
        )
    return config.target


async def _run(
    state: CampaignState,
    config: CampaignConfig,
    archive: Archive,
    judge: Judge,
    crew: Crew,
    observer: Observer,
    stop: StopSign,
    seed: Candidate,
    want_baselines: bool,
    handed: Sequence[Child] = (),
) -> Report:
    search = replayed(
        state,
        config,
        assembly.operators(crew, config),
        models=crew.completer is not None,
        asked=[model.name for model in crew.completer.models] if crew.completer else (),
    )
    foreign = assembly.foreign(config, archive, state.record)
    search.asking.learn_of(foreign)
    nursery = Nursery(state.record, archive, search, alone=config.keeps_to_itself)
    account = assembly.ledger(crew, config, state)
    breeder: Breeder = Childless()
    if not handed:
        breeder = assembly.breeder(
            crew, config, state, archive, search, nursery, account, judge.problem, judge.target,
            observer.note,
        )  # fmt: skip
    observer.began(
        Beginning(
            state.record.id,
            state.record.problem,
            state.record.backend,
            state.record.target,
            archive.location,
            crew.line,
            search.budget.limits,
            len(search.evaluations),
            len(search.pending),
            judge.sandbox.warning,
        )
    )
    campaign = Campaign(
        state.record,
        archive,
        judge,
        breeder,
        nursery,
        search,
        Reporting(state.record, archive.location, search, account),
        observer,
        stop,
        noise_floor=None if state.noise_floor is None else state.noise_floor.floor,
        baselines=state.baselines,
        batch_size=config.batch_size,
        want_baselines=want_baselines,
        inherited=handed
        or [
            *transfer.elites(archive, config.transfer, judge.problem, state.record),
            *ports.immigrants(foreign, config.backend),
        ],
        simplify=0.0 if handed else config.simplify,
    )
    gc.freeze()  # what is loaded stays: collections need not go through it again and again
    try:
        return await campaign.run(seed)
    finally:
        gc.unfreeze()  # or what native modules made could not be let go of at the end


def _seed(config: CampaignConfig, problem: Problem) -> str:
    """The kernel to start from: the user's, else the problem's."""
    if config.seed_file is not None:
        return read_source(Path(config.seed_file).expanduser())
    return catalogue.seed_source(problem, config.backend)


def _recorded_seed(state: CampaignState, problem: Problem) -> str:
    if state.proposals:
        return state.proposals[0].candidate.source
    return catalogue.seed_source(problem, state.record.backend)


@contextlib.contextmanager
def alone(record: CampaignRecord) -> Iterator[None]:
    """Hold the campaign's lock: two processes must not evaluate the same proposals.

    The kernel releases it when a process dies, however it dies.

    Raises:
        ConfigError: Another process holds it.
    """
    path = LOCK_FOLDER / f"kernelmill-campaign-{record.key}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"campaign {record.id} is running in another process: wait for it, or stop it"
            ) from None
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
