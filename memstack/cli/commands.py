"""What all commands have in common: the MemStack they are for, their help, and how they end."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, TypeVar, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from memstack.exceptions import MemStackError, NetworkError, ValidationError

from .exits import INTERRUPTED, code_of
from .output import in_own_words, tell
from .places import Place

__all__ = ["SUBCOMMAND", "AsJson", "Everything", "Group", "Local", "Offset", "Profile", "Url"]
__all__ += ["Yes", "asking", "check_all", "command", "confirm", "ends_well", "group", "one_of"]
__all__ += ["resumable", "text_of"]

F = TypeVar("F", bound=Callable[..., None])

SUBCOMMAND = "COMMAND [ARGS]..."
"""As all versions of typer are to write it."""


def one_of(literal: Any) -> str:
    """What stands in the help for a value that is one of those of *literal*."""
    return "|".join(get_args(literal))


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Offset = Annotated[int, typer.Option(metavar="N", help="How many to pass over first.", min=0)]

Everything = Annotated[
    bool, typer.Option("--all", help="List all of them; with --json, a line for each.")
]


def _complete_profile(incomplete: str) -> list[str]:
    from .profiles import Profiles, config_path

    try:
        names = sorted(Profiles(config_path()).all)
    except MemStackError:
        return []  # No place to tell it.
    return [name for name in names if name.startswith(incomplete)]


Local = Annotated[str | None, typer.Option(metavar="FILE", help="Use an embedded MemStack.")]
Profile = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Use a profile of `memstack config`.",
        autocompletion=_complete_profile,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Use a server; MEMSTACK_API_KEY has its key."),
]
_OF_FILE = {"local": Local, "profile": Profile}
_OPTIONS = {"place": {**_OF_FILE, "url": Url}, "place_of_file": _OF_FILE}
"""By the parameter that has what they say, the options for which MemStack a command is."""


class Group(TyperGroup):
    """Shows all of what each command says of itself, also where a terminal is narrow."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.commands[name].get_short_help_str(limit=1000))
                    for name in self.list_commands(ctx)
                ]
            )


def group(help: str) -> typer.Typer:
    """A group of commands; alone it prints its help."""
    return typer.Typer(
        cls=Group,
        help=help,
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        subcommand_metavar=SUBCOMMAND,
    )


class _Command(TyperCommand):
    """Has its arguments in the help by their metavar alone: newer versions of typer add types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(name for name, _ in self._records(ctx, "argument"))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for heading, kind in (("Arguments", "argument"), ("Options", "option")):
            if records := self._records(ctx, kind):
                with formatter.section(heading):
                    formatter.write_dl(records)

    def _records(self, ctx: Any, kind: str) -> list[tuple[str, str]]:
        found = []
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == kind and (record := parameter.get_help_record(ctx)):
                name = parameter.metavar if kind == "argument" else record[0]
                found.append((name or "", record[1]))
        return found


def command(app: typer.Typer, name: str, *examples: str) -> Callable[[F], F]:
    """Add a function to *app* as the command *name*; its docstring is the help.

    A function with a parameter `place`, or `place_of_file` if no server will do, gets the options
    for that in its stead. What it raises is printed as one line, and its kind is the exit code.

    Args:
        examples: Command lines that the help ends with.
    """

    def register(function: F) -> F:
        signature = inspect.signature(function, eval_str=True)
        parameters = [p for p in signature.parameters.values() if p.name not in _OPTIONS]
        place = next((name for name in signature.parameters if name in _OPTIONS), None)
        added = _OPTIONS[place] if place else {}
        for option, annotation in added.items():
            parameters.append(_keyword(option, annotation, None))
        parameters.append(_keyword("context", typer.Context))

        @wraps(function)
        def run(**values: Any) -> None:
            context: typer.Context = values.pop("context")
            with ends_well():
                if place:
                    given = Place(**{option: values.pop(option) for option in added}).checked()
                    before = context.obj if isinstance(context.obj, Place) else Place()
                    values[place] = given if given.is_given() else before
                elif isinstance(context.obj, Place) and context.obj.is_given():
                    raise ValidationError(
                        f"{context.command_path} takes no --local, --profile or --url; see --help"
                    )
                function(**values)

        # As typer reads it.
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        del run.__wrapped__
        app.command(name, cls=_Command, epilog=_examples(examples))(run)
        return function

    return register


def _warn(message: object, *_: Any, **__: Any) -> None:
    tell(f"memstack: warning: {in_own_words(message)}")


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _examples(lines: tuple[str, ...]) -> str:
    # \b keeps the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


@contextmanager
def ends_well() -> Iterator[None]:
    """Turns what is raised inside into a line on stderr and an exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            yield
        except MemStackError as error:
            tell(f"memstack: {in_own_words(error)}")
            if error.candidates:
                tell(f"memstack: it may be one of these: {', '.join(error.candidates)}")
            if isinstance(error, NetworkError):
                tell("memstack: `memstack doctor`, told of the same MemStack, finds out why")
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt as stop:
            tell("; ".join(["memstack: stopped", *stop.args]))
            raise typer.Exit(INTERRUPTED) from None


@contextmanager
def resumable(*, goes_on: bool = True) -> Iterator[None]:
    """Says at Ctrl-C that the command may be given again, if it *goes_on* then."""
    try:
        yield
    except KeyboardInterrupt:
        if goes_on:
            raise KeyboardInterrupt("the same command again goes on from here") from None
        raise


@contextmanager
def asking() -> Iterator[None]:
    """Has Ctrl-C at a question be what it is elsewhere: typer takes it for a no."""
    try:
        yield
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def confirm(question: str, yes: bool) -> None:
    """Ask whether to go on, unless *yes*.

    Raises:
        ValidationError: There is nobody to ask.
        typer.Abort: The answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ValidationError("nobody is here to ask: add --yes to go on without")
    with asking():
        typer.confirm(question, abort=True, err=True)


def check_all(*, is_default: bool) -> None:
    """Refuse `--all` beside options that choose a page.

    Raises:
        ValidationError: Their values are not the default ones.
    """
    if not is_default:
        raise ValidationError("--all lists everything: leave out --limit and --offset")


def text_of(argument: str) -> str:
    """*argument*, or what stdin has where it is `-`.

    Raises:
        ValidationError: stdin is not UTF-8.
    """
    if argument != "-":
        return argument
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("stdin is not UTF-8") from None
