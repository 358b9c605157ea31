from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field
from dateutil.parser import isoparse

from ..models.source_type import SourceType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.episode_create_metadata_type_0 import EpisodeCreateMetadataType0


T = TypeVar("T", bound="EpisodeCreate")


@_attrs_define
class EpisodeCreate:
    """An episode to store.

    Attributes:
        name (str): Not empty, and without NUL characters.
        content (str): Not empty, and without NUL characters.
        source_type (SourceType | Unset): What kind of material an episode is. Default: SourceType.TEXT.
        source_description (None | str | Unset): Where it comes from, in words.
        group_id (None | str | Unset): What it belongs to, such as a conversation or a document.
        metadata (EpisodeCreateMetadataType0 | None | Unset): Facts of the caller's own about it.
        project_id (None | str | Unset): The project it belongs to.
        tenant_id (None | str | Unset): The tenant it belongs to.
        user_id (None | str | Unset): The user it is about.
        valid_at (datetime.datetime | None | Unset): When the event happened; left out, it is taken as now.
    """

    name: str
    content: str
    source_type: SourceType | Unset = SourceType.TEXT
    source_description: None | str | Unset = UNSET
    group_id: None | str | Unset = UNSET
    metadata: EpisodeCreateMetadataType0 | None | Unset = UNSET
    project_id: None | str | Unset = UNSET
    tenant_id: None | str | Unset = UNSET
    user_id: None | str | Unset = UNSET
    valid_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.episode_create_metadata_type_0 import EpisodeCreateMetadataType0

        name = self.name

        content = self.content

        source_type: str | Unset = UNSET
        if not isinstance(self.source_type, Unset):
            source_type = self.source_type.value

        source_description: None | str | Unset
        if isinstance(self.source_description, Unset):
            source_description = UNSET
        else:
            source_description = self.source_description

        group_id: None | str | Unset
        if isinstance(self.group_id, Unset):
            group_id = UNSET
        else:
            group_id = self.group_id

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, EpisodeCreateMetadataType0):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        tenant_id: None | str | Unset
        if isinstance(self.tenant_id, Unset):
            tenant_id = UNSET
        else:
            tenant_id = self.tenant_id

        user_id: None | str | Unset
        if isinstance(self.user_id, Unset):
            user_id = UNSET
        else:
            user_id = self.user_id

        valid_at: None | str | Unset
        if isinstance(self.valid_at, Unset):
            valid_at = UNSET
        elif isinstance(self.valid_at, datetime.datetime):
            valid_at = self.valid_at.isoformat()
        else:
            valid_at = self.valid_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "content": content,
            }
        )
        if source_type is not UNSET:
            field_dict["source_type"] = source_type
        if source_description is not UNSET:
            field_dict["source_description"] = source_description
        if group_id is not UNSET:
            field_dict["group_id"] = group_id
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if tenant_id is not UNSET:
            field_dict["tenant_id"] = tenant_id
        if user_id is not UNSET:
            field_dict["user_id"] = user_id
        if valid_at is not UNSET:
            field_dict["valid_at"] = valid_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.episode_create_metadata_type_0 import EpisodeCreateMetadataType0

        d = dict(src_dict)
        name = d.pop("name")

        content = d.pop("content")

        _source_type = d.pop("source_type", UNSET)
        source_type: SourceType | Unset
        if isinstance(_source_type, Unset):
            source_type = UNSET
        else:
            source_type = SourceType(_source_type)

        def _parse_source_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        source_description = _parse_source_description(
            d.pop("source_description", UNSET)
        )

        def _parse_group_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group_id = _parse_group_id(d.pop("group_id", UNSET))

        def _parse_metadata(data: object) -> EpisodeCreateMetadataType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = EpisodeCreateMetadataType0.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EpisodeCreateMetadataType0 | None | Unset, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        def _parse_project_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        project_id = _parse_project_id(d.pop("project_id", UNSET))

        def _parse_tenant_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        tenant_id = _parse_tenant_id(d.pop("tenant_id", UNSET))

        def _parse_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user_id = _parse_user_id(d.pop("user_id", UNSET))

        def _parse_valid_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                valid_at_type_0 = isoparse(data)

                return valid_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        valid_at = _parse_valid_at(d.pop("valid_at", UNSET))

        episode_create = cls(
            name=name,
            content=content,
            source_type=source_type,
            source_description=source_description,
            group_id=group_id,
            metadata=metadata,
            project_id=project_id,
            tenant_id=tenant_id,
            user_id=user_id,
            valid_at=valid_at,
        )

        episode_create.additional_properties = d
        return episode_create

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
