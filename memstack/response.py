"""A successful call with all that is known of it, and lists that a notebook shows as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Generic, SupportsIndex, TypeVar, get_args, overload

from ._rows import MAY_FOLLOW, Row, as_dicts, as_html, brief_list
from .exceptions import Attempt

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema
    from typing_extensions import Self

__all__ = ["Response", "Rows"]

T = TypeVar("T")
R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Response(Generic[T]):
    """What `client.send_raw(operation)` gives: the result, and the answer it was read from."""

    result: T
    """What the method itself would have returned."""
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    """Headers of the answer, names in lower case."""
    content: bytes = field(repr=False)
    """The raw body."""
    request_id: str
    """The server's id of the request, or the one this client sent with it."""
    attempts: tuple[Attempt, ...]
    """What was tried, oldest first; the last one succeeded."""


class Rows(list[R]):
    """A list of models: equal to any list of the same, short in a repr, a table in a notebook.

    A repr ends in `…` where more rows may follow those in it.
    """

    _most: int | None = None

    @property
    def is_cut(self) -> bool:
        """Whether more rows may follow: it has as many as were asked for."""
        return self._most is not None and len(self) >= self._most

    def asked_for(self, most: int) -> None:
        """It was asked for with a limit of *most* rows."""
        self._most = most

    def to_dicts(self) -> list[dict[str, Any]]:
        """A dict for each row, as `pandas.DataFrame` takes them; without the secret of a key."""
        return as_dicts(self)

    @overload
    def __getitem__(self, index: SupportsIndex) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: SupportsIndex | slice) -> R | Self:
        found = super().__getitem__(index)
        return type(self)(found) if isinstance(found, list) else found

    def __repr__(self) -> str:
        return brief_list(self, self.is_cut)

    def _repr_html_(self) -> str:
        return as_html(f"{len(self):,} listed{MAY_FOLLOW if self.is_cut else ''}", self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        rows = GenericAlias(list, get_args(source))
        return core_schema.no_info_after_validator_function(cls, handler.generate_schema(rows))
