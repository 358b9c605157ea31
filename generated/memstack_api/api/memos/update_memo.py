from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.memo import Memo
from ...models.memo_update import MemoUpdate
from ...types import UNSET, Response, Unset


def _get_kwargs(
    memo_id: str,
    *,
    body: MemoUpdate,
    x_request_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_request_id, Unset):
        headers["X-Request-ID"] = x_request_id

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/api/v1/memos/{memo_id}".format(
            memo_id=quote(str(memo_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | Memo | None:
    if response.status_code == 200:
        response_200 = Memo.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(response.json())

        return response_400

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
) -> Response[Error | Memo]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    memo_id: str,
    *,
    client: AuthenticatedClient,
    body: MemoUpdate,
    x_request_id: str | Unset = UNSET,
) -> Response[Error | Memo]:
    r"""Change a memo

     A field that is left out, or null, stays as it is; `tags` replaces the whole list.

    Args:
        memo_id (str): One segment of a path; `/`, `\` and control characters cannot stand in it.
        x_request_id (str | Unset):
        body (MemoUpdate): What to change in a memo.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | Memo]
    """

    kwargs = _get_kwargs(
        memo_id=memo_id,
        body=body,
        x_request_id=x_request_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    memo_id: str,
    *,
    client: AuthenticatedClient,
    body: MemoUpdate,
    x_request_id: str | Unset = UNSET,
) -> Error | Memo | None:
    r"""Change a memo

     A field that is left out, or null, stays as it is; `tags` replaces the whole list.

    Args:
        memo_id (str): One segment of a path; `/`, `\` and control characters cannot stand in it.
        x_request_id (str | Unset):
        body (MemoUpdate): What to change in a memo.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | Memo
    """

    return sync_detailed(
        memo_id=memo_id,
        client=client,
        body=body,
        x_request_id=x_request_id,
    ).parsed


async def asyncio_detailed(
    memo_id: str,
    *,
    client: AuthenticatedClient,
    body: MemoUpdate,
    x_request_id: str | Unset = UNSET,
) -> Response[Error | Memo]:
    r"""Change a memo

     A field that is left out, or null, stays as it is; `tags` replaces the whole list.

    Args:
        memo_id (str): One segment of a path; `/`, `\` and control characters cannot stand in it.
        x_request_id (str | Unset):
        body (MemoUpdate): What to change in a memo.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | Memo]
    """

    kwargs = _get_kwargs(
        memo_id=memo_id,
        body=body,
        x_request_id=x_request_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    memo_id: str,
    *,
    client: AuthenticatedClient,
    body: MemoUpdate,
    x_request_id: str | Unset = UNSET,
) -> Error | Memo | None:
    r"""Change a memo

     A field that is left out, or null, stays as it is; `tags` replaces the whole list.

    Args:
        memo_id (str): One segment of a path; `/`, `\` and control characters cannot stand in it.
        x_request_id (str | Unset):
        body (MemoUpdate): What to change in a memo.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | Memo
    """

    return (
        await asyncio_detailed(
            memo_id=memo_id,
            client=client,
            body=body,
            x_request_id=x_request_id,
        )
    ).parsed
