"""People: who may sign in, and what each may do where."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError

from onecore.domain.ids import WorkspaceId
from onecore.engine import db
from onecore.engine.service import Service
from onecore.engine.use.errors import UseError
from onecore.store import audit
from onecore.store.models import Membership, Workspace

ROLES: tuple[str, ...] = tuple(Membership.ROLES)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `workspace` is None for an owner of the whole installation."""

    id: int
    email: str
    role: str
    workspace: WorkspaceId | None


def add_user(
    service: Service,
    email: str,
    role: str,
    password: str,
    workspace: WorkspaceId | None = None,
    actor: str = "",
) -> Person:
    """A new person who can sign in at once.

    `owner` without a workspace owns the installation: every workspace, present and future. Every
    other role is held in one workspace. Raises UseError for an unknown role, a role without its
    workspace, an address that is none or is taken, and a password that is too weak.
    """
    address = email.strip().lower()
    _check_role(role, workspace)
    _check_address(address)
    user = User(username=address[:150], email=address, is_superuser=_owns_all(role, workspace))
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise UseError(f"That password will not do. {' '.join(weak.messages)}") from None
    user.set_password(password)
    try:
        with db.committing("person.added"):
            user.save()
            # whoever can run commands here vouches for the address
            EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
            if workspace is not None:
                Membership.objects.create(workspace_id=workspace, user=user, role=role)
            audit.record(
                workspace, service.clock.now(), actor, "person.added", str(user.pk), role=role
            )
    except IntegrityError:
        raise _taken(address) from None
    return Person(user.pk, address, role, workspace)


def _owns_all(role: str, workspace: WorkspaceId | None) -> bool:
    return role == "owner" and workspace is None


def _check_role(role: str, workspace: WorkspaceId | None) -> None:
    if role not in ROLES:
        raise UseError(f"There is no role {role!r}. Roles: {', '.join(ROLES)}.")
    if workspace is None and role != "owner":
        raise UseError(f"The role {role} is held in one workspace: say which with --workspace.")
    if workspace is not None and not Workspace.objects.filter(pk=workspace).exists():
        raise UseError(f"There is no workspace {workspace}.")


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise UseError(f"{address!r} is no e-mail address.") from None
    if len(address) > 150:
        raise UseError("An e-mail address has at most 150 characters here.")
    if User.objects.filter(email__iexact=address).exists():
        raise _taken(address)


def _taken(address: str) -> UseError:
    return UseError(f"There is a person with the address {address} already.")
