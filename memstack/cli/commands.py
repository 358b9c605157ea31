"""What all commands have in common: the MemStack they are for, their help, and how they end."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from memstack.exceptions import MemStackError, ValidationError

from .exits import INTERRUPTED, code_of
from .output import tell
from .places import Place

__all__ = ["AsJson", "Everything", "Limit", "Local", "Offset", "Profile", "Url", "Yes"]
__all__ += ["check_all", "command", "confirm", "ends_well", "group", "text_of"]

F = TypeVar("F", bound=Callable[..., None])

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int, typer.Option(help="Most to list.", min=1)]
Offset = Annotated[int, typer.Option(help="How many to pass over first.", min=0)]

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
_OF_PLACE = {"local": Local, "profile": Profile, "url": Url}
"""The options that say which MemStack a command is for, by their parameter."""


def group(help: str) -> typer.Typer:
    """A group of commands; alone it prints its help."""
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def command(app: typer.Typer, name: str, *examples: str) -> Callable[[F], F]:
    """Add a function to *app* as the command *name*; its docstring is the help.

    A function with a parameter `place` gets the options for that in its stead. What it raises is
    printed as one line, and its kind is the exit code.

    Args:
        examples: Command lines that the help ends with.
    """

    def register(function: F) -> F:
        signature = inspect.signature(function, eval_str=True)
        parameters = [p for p in signature.parameters.values() if p.name != "place"]
        added = _OF_PLACE if "place" in signature.parameters else {}
        for option, annotation in added.items():
            parameters.append(_keyword(option, annotation, None))
        parameters.append(_keyword("context", typer.Context))

        @wraps(function)
        def run(**values: Any) -> None:
            context: typer.Context = values.pop("context")
            with ends_well():
                if added:
                    given = Place(**{option: values.pop(option) for option in added}).checked()
                    before = context.obj if isinstance(context.obj, Place) else Place()
                    values["place"] = given if given.is_given() else before
                elif isinstance(context.obj, Place) and context.obj.is_given():
                    raise ValidationError(
                        f"{context.command_path} takes no --local, --profile or --url; see --help"
                    )
                function(**values)

        # As typer reads it.
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        del run.__wrapped__
        app.command(name, epilog=_examples(examples))(run)
        return function

    return register


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
        warnings.showwarning = lambda message, *_, **__: tell(f"memstack: warning: {message}")
        try:
            yield
        except MemStackError as error:
            tell(f"memstack: {error}")
            if error.candidates:
                tell(f"memstack: it may be one of these: {', '.join(error.candidates)}")
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt:
            tell("memstack: stopped")
            raise typer.Exit(INTERRUPTED) from None


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
