"""A live server for the drivers."""

import httpx
import pytest

from tests.traces.web_server import web_server


@pytest.fixture
def server(transactional_db, project, api_key):
    with web_server() as address:
        yield address


@pytest.fixture
def api(server, api_key):
    """The read API over HTTP."""
    with httpx.Client(base_url=f"{server}/api/public", headers={"Authorization": api_key.basic}) as client:
        yield client
