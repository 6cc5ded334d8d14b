"""Tracking: at most two active categories, four in all; options; what a line may carry."""

from collections.abc import Sequence
from typing import Any

from onecore_sim.xero.desk import NOT_FOUND, Desk, Refused, new_id
from onecore_sim.xero.state import Category, LineTracking, Option, Organisation
from onecore_sim.xero.wire import read_object, read_text

MOST_ACTIVE = 2
MOST_IN_ALL = 4
LONGEST_NAME = 100


def create_category(desk: Desk, sent: dict[str, Any]) -> Category:
    name = read_text(sent.get("Name"), "Name")
    kept = [c for c in desk.org.categories.values() if c.status != "DELETED"]
    _check_name(name, [c.name for c in kept])
    if sum(c.status == "ACTIVE" for c in kept) >= MOST_ACTIVE:
        raise Refused("Only 2 active tracking categories can exist at any one time.")
    if len(kept) >= MOST_IN_ALL:
        raise Refused("Only 4 tracking categories can exist, archived ones included.")
    category = Category(id=new_id(), name=name)
    for option in sent.get("Options") or []:
        add_option(category, read_text(read_object(option, "Options").get("Name"), "Name"))
    desk.org.categories[category.id] = category
    return category


def update_category(desk: Desk, category_id: str, sent: dict[str, Any]) -> Category:
    """The category renamed, archived or active again."""
    category = find(desk.org, category_id)
    if "Name" in sent and sent["Name"] != category.name:
        name = read_text(sent["Name"], "Name")
        _check_name(name, [c.name for c in desk.org.categories.values() if c is not category])
        category.name = name
    status = read_text(sent.get("Status", category.status), "Status")
    if status != category.status:
        set_category_status(desk.org, category, status)
    return category


def set_category_status(org: Organisation, category: Category, status: str) -> None:
    if status not in ("ACTIVE", "ARCHIVED"):
        raise Refused(f"The status {status} cannot be given to a tracking category.")
    active = sum(c.status == "ACTIVE" for c in org.categories.values())
    if status == "ACTIVE" and active >= MOST_ACTIVE:
        raise Refused("Only 2 active tracking categories can exist at any one time.")
    category.status = status


def remove_category(desk: Desk, category_id: str) -> Category:
    category = find(desk.org, category_id)
    if any(t.category_id == category.id for t in _used(desk.org)):
        raise Refused("The tracking category is in use and cannot be deleted; archive it.")
    del desk.org.categories[category.id]
    category.status = "DELETED"
    return category


def find(org: Organisation, category_id: str) -> Category:
    category = org.categories.get(category_id)
    if category is None:
        raise Refused(NOT_FOUND)
    return category


def find_option(category: Category, option_id: str) -> Option:
    for option in category.options:
        if option.id == option_id:
            return option
    raise Refused(NOT_FOUND)


def add_option(category: Category, name: str) -> Option:
    _check_name(name, [o.name for o in category.options if o.status != "DELETED"])
    option = Option(id=new_id(), name=name)
    category.options.append(option)
    return option


def update_option(category: Category, option_id: str, sent: dict[str, Any]) -> Option:
    option = find_option(category, option_id)
    if "Name" in sent and sent["Name"] != option.name:
        name = read_text(sent["Name"], "Name")
        _check_name(name, [o.name for o in category.options if o is not option])
        option.name = name
    status = read_text(sent.get("Status", option.status), "Status")
    if status not in ("ACTIVE", "ARCHIVED"):
        raise Refused(f"The status {status} cannot be given to a tracking option.")
    option.status = status
    return option


def remove_option(desk: Desk, category: Category, option_id: str) -> Option:
    option = find_option(category, option_id)
    if any(t.option_id == option.id for t in _used(desk.org)):
        raise Refused("The tracking option is in use and cannot be deleted; archive it.")
    category.options.remove(option)
    option.status = "DELETED"
    return option


def keep_active(org: Organisation, count: int) -> None:
    """Leave that many categories active: the first ones; the rest are archived."""
    for place, category in enumerate(org.categories.values()):
        category.status = "ACTIVE" if place < count else "ARCHIVED"


def read_line_tracking(
    org: Organisation, sent: Sequence[Any], before: Sequence[LineTracking], errors: list[str]
) -> list[LineTracking]:
    """What a line will carry, found by ids or by names; what is wrong goes to `errors`.

    A category or option archived since stays on the line that already had it.
    """
    found: list[LineTracking] = []
    for item in sent:
        entry = read_object(item, "Tracking")
        category = _named_category(org, entry)
        if category is None:
            label = entry.get("Name") or entry.get("TrackingCategoryID")
            errors.append(f"The tracking category '{label}' could not be found.")
            continue
        option = _named_option(category, entry)
        if option is None:
            label = entry.get("Option") or entry.get("TrackingOptionID")
            errors.append(f"The tracking option '{label}' could not be found in '{category.name}'.")
            continue
        tracked = LineTracking(category.id, option.id)
        if tracked not in before and "ARCHIVED" in (category.status, option.status):
            errors.append(f"The tracking option '{option.name}' has been archived.")
            continue
        found.append(tracked)
    if len({t.category_id for t in found}) < len(found):
        errors.append("A line can carry only one option of a tracking category.")
    if len(found) > MOST_ACTIVE:
        errors.append("A line can carry at most two tracking options.")
    return found


def _named_category(org: Organisation, entry: dict[str, Any]) -> Category | None:
    if wanted := entry.get("TrackingCategoryID"):
        return org.categories.get(read_text(wanted, "TrackingCategoryID").lower())
    name = read_text(entry.get("Name"), "Name").lower()
    return next((c for c in org.categories.values() if c.name.lower() == name), None)


def _named_option(category: Category, entry: dict[str, Any]) -> Option | None:
    if wanted := entry.get("TrackingOptionID"):
        id_ = read_text(wanted, "TrackingOptionID").lower()
        return next((o for o in category.options if o.id == id_), None)
    name = read_text(entry.get("Option"), "Option").lower()
    return next((o for o in category.options if o.name.lower() == name), None)


def _check_name(name: str, taken: list[str]) -> None:
    if not name or len(name) > LONGEST_NAME:
        raise Refused(f"A name needs 1 to {LONGEST_NAME} characters.")
    if name.lower() in (t.lower() for t in taken):
        raise Refused("Please enter a unique Name.")


def _used(org: Organisation) -> list[LineTracking]:
    documents = [*org.invoices.values(), *org.credit_notes.values()]
    return [t for d in documents for line in d.lines for t in line.tracking]
