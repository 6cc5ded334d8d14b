"""Which webhook is ours, what is wrong with it, and whose is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.ports import HookResource, HookTrigger, RemoteHook
from onecore.sync.hooking import Wanted, can_ring, name_of, plan, telling

BASE = "https://one.example"
WANTED = Wanted("a1", BASE, "secret", id="5")
RIGHT = RemoteHook("5", f"{BASE}/webhooks/procore/a1", True, "Bearer secret")

hooks = st.builds(
    RemoteHook,
    st.sampled_from(["4", "5", "6", "7"]),
    st.sampled_from(
        [
            f"{BASE}/webhooks/procore/a1",
            f"{BASE}/webhooks/procore/b2",
            f"{BASE}/webhooks/procore/unknown",
            "https://old.example/webhooks/procore/a1",
            "https://else.example/webhooks/procore/zz",
            "https://else.example/hook",
        ]
    ),
    st.booleans(),
    st.sampled_from(["Bearer secret", "Bearer other", "", "****"]),
)


@given(st.lists(hooks, max_size=6, unique_by=lambda hook: hook.id))
def test_one_live_hook_of_ours_is_left_and_strangers_are_not_touched(
    known: list[RemoteHook],
) -> None:
    found = plan(known, WANTED, {"a1", "b2"})
    by_id = {hook.id: hook for hook in known}
    assert found.keep not in found.remove
    for id_ in found.remove:
        name = name_of(by_id[id_].url)
        ours = name == "a1" or id_ == "5" or by_id[id_].url.startswith(BASE)
        assert ours
        assert name != "b2" or id_ == "5"
    if found.keep is not None:
        assert by_id[found.keep].active
    left = {hook.id for hook in known} - set(found.remove)
    assert [id_ for id_ in left if name_of(by_id[id_].url) == "a1"] in ([], [found.keep])
    if RIGHT in known:
        assert (found.keep, found.mend) == ("5", False)


def test_a_new_secret_has_to_be_told_although_it_is_not_shown() -> None:
    hidden = RemoteHook("5", RIGHT.url, True, "****")
    assert not plan([hidden], WANTED, {"a1"}).mend
    fresh = Wanted("a1", BASE, "secret", id="5", is_new=True)
    assert plan([hidden], fresh, {"a1"}).mend
    assert not plan([RIGHT], fresh, {"a1"}).mend


def test_triggers_are_added_and_taken_away_one_by_one() -> None:
    offered = [HookResource("Cost Codes", ("create", "update")), HookResource("Offices", ("x",))]
    have = [HookTrigger("Cost Codes", "update", "1"), HookTrigger("Offices", "x", "2")]
    change = telling(offered, {"cost codes"}, have)
    assert change.missing == (HookTrigger("Cost Codes", "create"),)
    assert change.extra == ("2",)


def test_the_secret_is_in_no_text() -> None:
    assert "secret" not in repr(WANTED) + repr(RIGHT)


@pytest.mark.parametrize(
    ("base", "api", "can"),
    [
        ("https://one.example", "https://api.procore.com", True),
        ("http://localhost:8000", "https://api.procore.com", False),
        ("https://localhost:8000", "https://api.procore.com", False),
        ("http://localhost:8000", "http://127.0.0.1:9", True),
    ],
)
def test_whether_procore_can_ring(base: str, api: str, can: bool) -> None:
    assert can_ring(base, api) is can
