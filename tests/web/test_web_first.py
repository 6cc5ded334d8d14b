"""Every page opens."""

import pytest
from tests.desk import Desk

PAGES = [
    "",
    "documents",
    "attention",
    "mapping",
    "mapping/codes",
    "connections",
    "settings",
    "activity",
    "help",
    "go",
    "documents/requisition:7/55",
    "documents/live",
]


@pytest.mark.parametrize("path", PAGES)
def test_opens(desk: Desk, signed_in, path: str) -> None:
    client = signed_in()
    client.raise_request_exception = True
    answer = client.get(f"/w/{desk.workspace}/{path}")
    assert answer.status_code == 200


def test_login(desk, client):
    assert client.get("/").status_code == 200
    assert client.get("/accounts/login/").status_code == 200
