"""Commands that are imported when they run, so that `kernelmill --help` answers at once."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Entry:
    """Where a command lives.

    Attributes:
        name: As typed on the command line.
        location: `module:attribute`; a command function or a `typer.Typer` with sub-commands.
        summary: Its line in `kernelmill --help`; equal to the first line of its own help.
    """

    name: str
    location: str
    summary: str

    @property
    def module(self) -> str:
        """The module part of the location."""
        return self.location.partition(":")[0]

    def exists(self) -> bool:
        """Whether the module is there; it is found, not imported."""
        return importlib.util.find_spec(self.module) is not None

    def load(self) -> Any:
        """Import the module and build the command (a Typer command or group)."""
        attribute = self.location.partition(":")[2]
        found = getattr(importlib.import_module(self.module), attribute)
        if isinstance(found, typer.Typer):
            command: Any = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False)
            single.command(self.name)(found)
            command = typer.main.get_command(single)
        command.name = self.name
        _use_plain_help(command)
        return command


class LazyCommand(TyperCommand):
    """Stands in a group for a command that is imported when its context is made."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.summary, add_help_option=False)
        self.entry = entry

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Hand over to the real command; the context belongs to it."""
        return self.entry.load().make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """A command group whose members are the `entries` of a subclass."""

    entries: tuple[Entry, ...] = ()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for entry in self.entries:
            if entry.exists():
                self.add_command(LazyCommand(entry))


def _use_plain_help(command: Any) -> None:
    command.rich_markup_mode = None
    for member in getattr(command, "commands", {}).values():
        _use_plain_help(member)
