"""The embedded server does over HTTP what openapi.yaml says; schemathesis tries to prove it wrong.

What the spec allows must be accepted, what it forbids refused, and every answer be described. All
checks of schemathesis are on. So each rule by which the server refuses stands in the spec.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_schema_validator import OAS31Validator
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData
from starlette.types import ASGIApp, Receive, Scope, Send

from memstack import operations
from memstack._wire import WireRequest
from memstack.local import EmbeddedServer
from memstack.local.http import create_app

from .spec import load_spec

pytestmark = pytest.mark.slow
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"deterministic": True, "max-examples": 15},
        # Only the links of the spec: those that would be guessed go from empty lists to nowhere.
        "phases": {"stateful": {"inference": {"algorithms": []}}},
    }
)
SCENARIOS = 30
KEY = "ms_sk_of_the_tests"
# One of each, so that lists have something to show.
STORED = (
    operations.create_episode("Alice on hiking", "She loves it.", metadata={"a": [1, None]}),
    operations.create_memo("Ask Alice about the trail map.", tags=["hiking"]),
    operations.create_api_key("dashboard", ["read"], expires_in_days=30),
)
SEGMENT = OAS31Validator(load_spec()["components"]["schemas"]["PathSegment"])


class Api:
    """An ASGI application in front of an embedded server that can be replaced by a new one."""

    server: EmbeddedServer
    app: ASGIApp

    def start(self) -> None:
        self.server = EmbeddedServer(owner_key=KEY)
        self.app = create_app(self.server)
        for operation in STORED:
            headers = {"Authorization": f"Bearer {KEY}"}
            request = WireRequest(operation.method, operation.path, headers, operation.body, None)
            assert self.server.handle(request).status in (200, 202)

    def stop(self) -> None:
        self.server.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"  # schemathesis goes on without the lifespan
        await self.app(scope, receive, send)


api = Api()
Case = schemathesis.Case[Any]


@pytest.fixture(autouse=True)
def _started() -> Iterator[None]:
    api.start()
    yield
    api.stop()


class Owner:
    """Lets every request have a good key, but those that try what becomes of one without."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> str:
        return KEY

    def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    """Whether *failure* is one: two rules are true of a request only together with earlier ones."""
    allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if allowed and any(not SEGMENT.is_valid(unquote(v)) for v in case.path_parameters.values()):
        return False  # By a link, from an episode whose name cannot stand in a path.
    # An Idempotency-Key may come before with another body, which only the server can know.
    return not (isinstance(failure, RejectedPositiveData) and "Idempotency-Key" in response.text)


def loaded(spec: dict[str, Any]) -> schemathesis.BaseSchema:
    """*spec* as schemathesis takes it, to be held against the embedded server."""
    schema = schemathesis.openapi.from_dict(spec, config=CONFIG)
    schema.app = api
    schema.auth()(Owner)
    schema.hook(filter_failure)
    return schema


def without_request_id(spec: dict[str, Any]) -> dict[str, Any]:
    """*spec* without the header that every request may have.

    Whether a thing that was made is there, schemathesis asks only of a request whose parameters
    all come from a link.
    """
    spec = copy.deepcopy(spec)
    for path in spec["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation["parameters"].remove({"$ref": "#/components/parameters/RequestId"})
    return spec


schema = loaded(load_spec())
linked = loaded(without_request_id(load_spec()))


@schema.parametrize()
def test_keeps_the_contract(case: Case) -> None:
    """Whatever is sent to one operation."""
    case.call_and_validate()


class Workflow(linked.as_state_machine()):  # type: ignore[misc]
    """Goes along the links of the spec, from an answer to the requests that it makes possible."""

    def setup(self) -> None:
        api.stop()
        api.start()


class TestWorkflow(Workflow.TestCase):  # type: ignore[name-defined, misc]
    """Sequences such as making, changing, deleting and getting a memo keep the contract too."""

    settings = settings(
        derandomize=True,
        deadline=None,
        max_examples=SCENARIOS,
        stateful_step_count=8,
        suppress_health_check=list(HealthCheck),
    )
