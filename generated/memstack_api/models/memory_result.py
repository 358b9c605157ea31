from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.memory_result_metadata import MemoryResultMetadata


T = TypeVar("T", bound="MemoryResult")


@_attrs_define
class MemoryResult:
    """One thing that is remembered.

    Attributes:
        id (str): Id of the episode, entity or relation.
        content (str): What is remembered.
        score (float | None): How well it matches; larger is better, comparable within one answer.
        type_ (str): One of episode, entity or relation; more may come.
        metadata (MemoryResultMetadata): What else is known about it. The embedded server adds `highlights`, the reasons
            why it
            was found: objects with `field`, `text` and, in `name` and `content`, `start` and `end`.
    """

    id: str
    content: str
    score: float | None
    type_: str
    metadata: MemoryResultMetadata
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        content = self.content

        score: float | None
        score = self.score

        type_ = self.type_

        metadata = self.metadata.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "content": content,
                "score": score,
                "type": type_,
                "metadata": metadata,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.memory_result_metadata import MemoryResultMetadata

        d = dict(src_dict)
        id = d.pop("id")

        content = d.pop("content")

        def _parse_score(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        score = _parse_score(d.pop("score"))

        type_ = d.pop("type")

        metadata = MemoryResultMetadata.from_dict(d.pop("metadata"))

        memory_result = cls(
            id=id,
            content=content,
            score=score,
            type_=type_,
            metadata=metadata,
        )

        memory_result.additional_properties = d
        return memory_result

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
