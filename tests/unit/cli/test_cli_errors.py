"""Every error of the engine has an exit code and a next step."""

from datetime import timedelta
from uuid import uuid4

import click
import pytest
from django.db import OperationalError

from onecore.cli.errors import NEEDS_A_PERSON, OUT_OF_REACH, WRONG_USE, NotMigrated, told
from onecore.domain.refs import BadRef
from onecore.engine.context import NotConnected
from onecore.engine.use.errors import NeedsPerson, NotFound, OutOfReach, UseError
from onecore.environment import WrongSetting
from onecore.ports import (
    AccessLost,
    LimitKind,
    NotReached,
    NotVisible,
    OutcomeUnknown,
    ReadFailed,
    Remote,
    RequestRefused,
    ScopeMissing,
    Throttled,
)
from onecore.store.embedded import NotStarted
from onecore.store.leases import LeaseLost
from onecore.store.secrets import KeyUnusable, SecretUnreadable

XERO, PROCORE = Remote.XERO, Remote.PROCORE


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UseError("say which"), WRONG_USE, "say which"),
        (NotFound("none such"), WRONG_USE, "none such"),
        (BadRef("no ref"), WRONG_USE, "no ref"),
        (WrongSetting("ONECORE_BIND"), WRONG_USE, "ONECORE_BIND"),
        (KeyUnusable("too short"), WRONG_USE, "too short"),
        (NotConnected("connect first"), WRONG_USE, "connect first"),
        (click.UsageError("no such option"), WRONG_USE, "no such option"),
        (NeedsPerson("choose"), NEEDS_A_PERSON, "choose"),
        (SecretUnreadable("old key"), NEEDS_A_PERSON, "old key"),
        (AccessLost(PROCORE, "token", "401"), NEEDS_A_PERSON, "onecore connect procore"),
        (ScopeMissing(XERO, "contacts", "accounting.contacts"), NEEDS_A_PERSON, "lacks a right"),
        (NotVisible(PROCORE, "claims", 404), NEEDS_A_PERSON, "permitted projects"),
        (RequestRefused(XERO, "contact", 400, ("Name taken",)), NEEDS_A_PERSON, "Name taken"),
        (OutOfReach("later"), OUT_OF_REACH, "later"),
        (NotReached(XERO, "bills", "connect"), OUT_OF_REACH, "onecore doctor"),
        (ReadFailed(XERO, "bills", "500"), OUT_OF_REACH, "no usable answer"),
        (OutcomeUnknown(XERO, "bills.create"), OUT_OF_REACH, "no usable answer"),
        (
            Throttled(XERO, "bills", LimitKind.DAY, timedelta(seconds=61)),
            OUT_OF_REACH,
            "wait 61 s (day limit)",
        ),
        (OperationalError("connection refused"), OUT_OF_REACH, "connection refused"),
        (NotStarted("did not come up"), OUT_OF_REACH, "did not come up"),
        (NotMigrated("Run: onecore migrate"), OUT_OF_REACH, "onecore migrate"),
        (LeaseLost(str(uuid4())), OUT_OF_REACH, "Nothing is lost"),
        (KeyboardInterrupt(), 130, "Stopped"),
    ],
)
def test_an_error_has_its_code_and_its_next_step(
    error: BaseException, code: int, words: str
) -> None:
    said = told(error)
    assert (said.code, said.unexpected) == (code, False)
    assert words in said.message


def test_a_fault_of_ours_is_shown_with_its_trace() -> None:
    said = told(ZeroDivisionError("division by zero"))
    assert said.unexpected
    assert "ZeroDivisionError" in said.message
