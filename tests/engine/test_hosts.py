"""OneCore speaks to the addresses it was given and to no others, whatever an answer names."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from onecore.engine.use import glancing
from tests.desk import Desk
from tests.engine.changing import later


class Listener:
    """Python's own word of every connection; such a hook stays for good, so it can be deaf."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.listens = True
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if self.listens and event == "socket.connect" and isinstance(args[1], tuple):
            self.heard.append((str(args[1][0]), int(args[1][1])))


@pytest.fixture
def connections() -> Iterator[list[tuple[str, int]]]:
    """Host and port of every connection this process opens."""
    listener = Listener()
    try:
        yield listener.heard
    finally:
        listener.listens = False


class Elsewhere:
    """A server nobody told OneCore of; it counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.visits = 0
        self._open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._open:
            try:
                visitor, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self._socket.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.close()


def test_the_whole_flow_speaks_to_the_two_remotes_alone(
    connections: list[tuple[str, int]], desk: Desk
) -> None:
    refs = [desk.claim("1000.00"), desk.claim("500.00")]
    desk.sync()
    later(desk, hours=3)
    desk.sync(*refs)
    urls = (urlsplit(desk.procore.url), urlsplit(desk.xero.url))
    assert set(connections) == {(str(url.hostname), int(url.port or 0)) for url in urls}


@pytest.mark.parametrize(
    ("side", "method", "path", "status"),
    [
        ("procore", "GET", "/requisitions", 302),
        ("procore", "POST", "/oauth/token", 307),
        ("xero", "GET", "/Invoices", 301),
        ("xero", "PUT", "/Invoices", 308),
        ("xero", "POST", "/connect/token", 307),
    ],
)
def test_no_redirect_is_followed(
    desk: Desk, elsewhere: Elsewhere, side: str, method: str, path: str, status: int
) -> None:
    """Neither with a token nor with a secret; and what was not answered is done later."""
    simulator = desk.procore if side == "procore" else desk.xero
    if "token" in path:
        later(desk, hours=1)
    simulator.fault(
        "status", path, method, status=status, headers={"Location": f"{elsewhere.url}/catch"}
    )
    ref = desk.claim("1000.00")
    desk.sync(timeout=1)
    later(desk, minutes=30)
    desk.sync()
    assert elsewhere.visits == 0
    assert desk.state_of(ref) in ("in_step", "refused")
    assert len(desk.bills()) == (desk.state_of(ref) == "in_step")


def test_pages_are_asked_for_by_number_not_by_the_link_an_answer_gives(
    desk: Desk, elsewhere: Elsewhere
) -> None:
    link = f'<{elsewhere.url}/rest/v1.0/vendors?page=2&per_page=100>; rel="next"'
    desk.procore.fault(
        "status", "/vendors", "GET", status=200, body=json.dumps([]), headers={"Link": link}
    )
    desk.claim("1000.00")
    desk.sync()
    desk.service.run(desk.service.run(desk.service.context(desk.workspace)).lists.vendors())
    assert elsewhere.visits == 0


@pytest.mark.parametrize(
    "pasted",
    [
        "{url}/requisitions/55",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https://us02.procore.com@{host}/7/project/requisitions/55",
    ],
)
def test_a_pasted_link_is_read_not_fetched(
    desk: Desk, elsewhere: Elsewhere, connections: list[tuple[str, int]], pasted: str
) -> None:
    host = urlsplit(elsewhere.url).netloc
    glancing.named(desk.workspace, pasted.format(url=elsewhere.url, host=host))
    assert elsewhere.visits == 0
    assert connections == []
