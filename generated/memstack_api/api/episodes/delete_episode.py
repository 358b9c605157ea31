from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.episode_deleted import EpisodeDeleted
from ...models.error import Error
from ...types import UNSET, Response, Unset


def _get_kwargs(
    episode_name: str,
    *,
    x_request_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_request_id, Unset):
        headers["X-Request-ID"] = x_request_id

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/api/v1/episodes/{episode_name}".format(
            episode_name=quote(str(episode_name), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EpisodeDeleted | Error | None:
    if response.status_code == 200:
        response_200 = EpisodeDeleted.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Error.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Error.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Error.from_dict(response.json())

        return response_404

    if response.status_code == 422:
        response_422 = Error.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Error.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Error.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Error.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[EpisodeDeleted | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    episode_name: str,
    *,
    client: AuthenticatedClient,
    x_request_id: str | Unset = UNSET,
) -> Response[EpisodeDeleted | Error]:
    r"""Remove every episode of a name

    Args:
        episode_name (str): One segment of a path; `/`, `\` and control characters cannot stand in
            it.
        x_request_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EpisodeDeleted | Error]
    """

    kwargs = _get_kwargs(
        episode_name=episode_name,
        x_request_id=x_request_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    episode_name: str,
    *,
    client: AuthenticatedClient,
    x_request_id: str | Unset = UNSET,
) -> EpisodeDeleted | Error | None:
    r"""Remove every episode of a name

    Args:
        episode_name (str): One segment of a path; `/`, `\` and control characters cannot stand in
            it.
        x_request_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EpisodeDeleted | Error
    """

    return sync_detailed(
        episode_name=episode_name,
        client=client,
        x_request_id=x_request_id,
    ).parsed


async def asyncio_detailed(
    episode_name: str,
    *,
    client: AuthenticatedClient,
    x_request_id: str | Unset = UNSET,
) -> Response[EpisodeDeleted | Error]:
    r"""Remove every episode of a name

    Args:
        episode_name (str): One segment of a path; `/`, `\` and control characters cannot stand in
            it.
        x_request_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EpisodeDeleted | Error]
    """

    kwargs = _get_kwargs(
        episode_name=episode_name,
        x_request_id=x_request_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    episode_name: str,
    *,
    client: AuthenticatedClient,
    x_request_id: str | Unset = UNSET,
) -> EpisodeDeleted | Error | None:
    r"""Remove every episode of a name

    Args:
        episode_name (str): One segment of a path; `/`, `\` and control characters cannot stand in
            it.
        x_request_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EpisodeDeleted | Error
    """

    return (
        await asyncio_detailed(
            episode_name=episode_name,
            client=client,
            x_request_id=x_request_id,
        )
    ).parsed
