from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.memory_query_filters_type_0 import MemoryQueryFiltersType0


T = TypeVar("T", bound="MemoryQuery")


@_attrs_define
class MemoryQuery:
    """A question to the memory.

    Attributes:
        query (str): Not empty, and without NUL characters.
        limit (int | Unset): Most results to return. Default: 10.
        tenant_id (None | str | Unset): Only what belongs to this tenant.
        project_id (None | str | Unset): Only what belongs to this project.
        user_id (None | str | Unset): Only what is about this user.
        filters (MemoryQueryFiltersType0 | None | Unset): Only what has these values: `group_id`, `project_id`,
            `tenant_id`, `user_id`,
            `source_type`, `name` and `metadata.<key>` for equality, `date_from` and `date_to`
            (ISO 8601, both included) for when it happened. Deployed servers pass over filters.
    """

    query: str
    limit: int | Unset = 10
    tenant_id: None | str | Unset = UNSET
    project_id: None | str | Unset = UNSET
    user_id: None | str | Unset = UNSET
    filters: MemoryQueryFiltersType0 | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.memory_query_filters_type_0 import MemoryQueryFiltersType0

        query = self.query

        limit = self.limit

        tenant_id: None | str | Unset
        if isinstance(self.tenant_id, Unset):
            tenant_id = UNSET
        else:
            tenant_id = self.tenant_id

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        user_id: None | str | Unset
        if isinstance(self.user_id, Unset):
            user_id = UNSET
        else:
            user_id = self.user_id

        filters: dict[str, Any] | None | Unset
        if isinstance(self.filters, Unset):
            filters = UNSET
        elif isinstance(self.filters, MemoryQueryFiltersType0):
            filters = self.filters.to_dict()
        else:
            filters = self.filters

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "query": query,
            }
        )
        if limit is not UNSET:
            field_dict["limit"] = limit
        if tenant_id is not UNSET:
            field_dict["tenant_id"] = tenant_id
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if user_id is not UNSET:
            field_dict["user_id"] = user_id
        if filters is not UNSET:
            field_dict["filters"] = filters

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.memory_query_filters_type_0 import MemoryQueryFiltersType0

        d = dict(src_dict)
        query = d.pop("query")

        limit = d.pop("limit", UNSET)

        def _parse_tenant_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        tenant_id = _parse_tenant_id(d.pop("tenant_id", UNSET))

        def _parse_project_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        project_id = _parse_project_id(d.pop("project_id", UNSET))

        def _parse_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user_id = _parse_user_id(d.pop("user_id", UNSET))

        def _parse_filters(data: object) -> MemoryQueryFiltersType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                filters_type_0 = MemoryQueryFiltersType0.from_dict(data)

                return filters_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(MemoryQueryFiltersType0 | None | Unset, data)

        filters = _parse_filters(d.pop("filters", UNSET))

        memory_query = cls(
            query=query,
            limit=limit,
            tenant_id=tenant_id,
            project_id=project_id,
            user_id=user_id,
            filters=filters,
        )

        memory_query.additional_properties = d
        return memory_query

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
