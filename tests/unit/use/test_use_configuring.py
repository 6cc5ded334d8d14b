"""Edits of the workspace document: several at once, and one that would spoil it."""

import threading

import pytest
from django.db import connection
from tests.desk import Desk

from onecore.domain.refs import Flow
from onecore.domain.settings import Mode
from onecore.engine import config
from onecore.engine.use import configuring
from onecore.engine.use.configuring import BadConfig


def test_of_two_edits_at_once_none_is_lost(desk: Desk) -> None:
    def other() -> None:
        change_it = lambda text: config.add_code(text, "05-100", "313")  # noqa: E731
        configuring.edit(desk.service, desk.workspace, change_it, "second", "")
        connection.close()

    second = threading.Thread(target=other)

    def change(text: str) -> str:
        second.start()
        second.join(1)  # the other waits for this one, or has been and gone
        return config.add_code(text, "01-100", "311")

    configuring.edit(desk.service, desk.workspace, change, "first", "")
    second.join(20)
    kept = config.read(configuring.export(desk.workspace)).base.codes
    assert {rule.cost_code for rule in kept} == {"*", "01-100", "05-100"}


def test_an_edit_that_would_spoil_the_document_changes_nothing(desk: Desk) -> None:
    before = configuring.export(desk.workspace)
    with pytest.raises(BadConfig) as bad:
        configuring.edit(
            desk.service, desk.workspace, lambda t: config.add_code(t, "0*-1", "311"), "test", ""
        )
    assert bad.value.problems
    assert configuring.export(desk.workspace) == before


def test_a_flow_may_differ_in_one_project(desk: Desk) -> None:
    configuring.edit(
        desk.service,
        desk.workspace,
        lambda t: config.set_flow_mode(t, Flow.BILL, Mode.PREVIEW, 7),
        "test",
        "",
    )
    document = config.read(configuring.export(desk.workspace))
    assert config.effective(document, 7, None, None).bill.mode is Mode.PREVIEW
    assert document.base.bill.mode is Mode.AUTO
