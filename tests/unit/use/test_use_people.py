"""Who may sign in, with which role, and what is refused."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from tests.desk import Desk

from onecore.engine.use import people, workspaces
from onecore.engine.use.errors import UseError
from onecore.store.models import AuditEntry, Membership

PASSWORD = "seven-silver-spades"


def test_an_owner_opens_every_workspace(bare_desk: Desk) -> None:
    person = people.add_user(bare_desk.service, " Boss@Example.com ", "owner", PASSWORD, actor="me")
    user = User.objects.get(pk=person.id)
    assert (user.email, user.is_superuser, user.is_staff) == ("boss@example.com", True, False)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("boss@example.com", True, True)
    assert authenticate(None, email="boss@example.com", password=PASSWORD) == user
    assert authenticate(None, email="boss@example.com", password="other-password-9") is None
    assert len(workspaces.visible_to(person.id, user.is_superuser)) == 1
    entry = AuditEntry.objects.get(act="person.added")
    assert (entry.actor, entry.subject, entry.facts) == ("me", str(person.id), {"role": "owner"})


@pytest.mark.parametrize("role", ["owner", "accountant", "project_manager", "viewer"])
def test_a_role_is_held_in_its_workspace_alone(bare_desk: Desk, role: str) -> None:
    other = workspaces.add(bare_desk.service, "Other", "test")
    where = bare_desk.workspace
    person = people.add_user(bare_desk.service, "a@example.com", role, PASSWORD, where)
    user = User.objects.get(pk=person.id)
    assert not user.is_superuser
    assert [pk for pk, _ in workspaces.visible_to(user.pk, user.is_superuser)] == [where]
    assert workspaces.role_of(where, user.pk) == role
    assert workspaces.role_of(other, user.pk) is None


@pytest.mark.parametrize(
    ("email", "role", "password", "words"),
    [
        ("nobody", "owner", PASSWORD, "no e-mail address"),
        ("", "owner", PASSWORD, "no e-mail address"),
        ("a@example.com", "king", PASSWORD, "no role 'king'"),
        ("a@example.com", "viewer", PASSWORD, "--workspace"),
        ("a@example.com", "owner", "short", "at least 12 characters"),
        ("a@example.com", "owner", "q1w2e3r4t5y6", "too common"),
        ("TAKEN@example.com", "owner", PASSWORD, "already"),
        (f"{'a' * 150}@example.com", "owner", PASSWORD, "address"),
    ],
)
def test_what_will_not_do_is_told_and_leaves_nothing(
    bare_desk: Desk, email: str, role: str, password: str, words: str
) -> None:
    people.add_user(bare_desk.service, "taken@example.com", "owner", PASSWORD)
    with pytest.raises(UseError, match=words):
        people.add_user(bare_desk.service, email, role, password)
    assert User.objects.count() == 1
    assert Membership.objects.count() == 0
