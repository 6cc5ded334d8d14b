"""Named faults that every remote can have: of servers, connections, the token endpoint, events."""

from onecore_sim.kit.catalogue import Endpoint, Named
from onecore_sim.kit.faults import EVENT, Fault, Kind

WRITES = "POST|PUT|PATCH|DELETE"
LONGER_THAN_ANYONE_WAITS = 120.0
_PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"

ANSWERS = (
    Named("error_500", "500, and nothing was done.",
          Fault(kind=Kind.STATUS, status=500, body='{"Message":"An error occurred"}')),
    Named("error_502", "502 of a gateway, in HTML, and nothing was done.",
          Fault(kind=Kind.STATUS, status=502, body=_PAGE, content_type="text/html")),
    Named("error_after_commit", "Carried out, then answered 500 (or another status).",
          Fault(kind=Kind.STATUS_AFTER, status=500, body='{"Message":"An error occurred"}'),
          {"status": 500}),
    Named("slow", "Answered properly, so many seconds late.",
          Fault(kind=Kind.SLOW), {"seconds": 2.0}),
    Named("truncated", "Carried out, and half of the answer arrives.",
          Fault(kind=Kind.TRUNCATED)),
)  # fmt: skip
CONNECTION = (
    Named("timeout_before_commit", "Nothing is done, and no answer comes for so many seconds.",
          Fault(kind=Kind.HANG), {"seconds": LONGER_THAN_ANYONE_WAITS}),
    Named("timeout_after_commit", "Carried out, and no answer comes for so many seconds.",
          Fault(kind=Kind.HANG_AFTER), {"seconds": LONGER_THAN_ANYONE_WAITS}),
    Named("connection_closed", "The connection closes before anything is done.",
          Fault(kind=Kind.DROP)),
    Named("reply_lost", "Carried out, then the connection closes without an answer.",
          Fault(kind=Kind.LOST)),
)  # fmt: skip


def of_events(*endpoints: Endpoint) -> tuple[Named, ...]:
    """What can befall the events that webhooks tell of; `endpoints` are all of those."""
    only = tuple(one.name for one in endpoints)
    return (
        Named("webhook_doubled", "The event is sent twice.", Fault(kind=Kind.DOUBLED), only=only),
        Named("webhook_late", "The event is sent so many seconds later, by the simulator's clock.",
              Fault(kind=Kind.LATE), {"seconds": 60.0}, only),
        Named("webhook_reordered", "The event is sent after the one that follows it, or alone after"
              " a minute of the simulator's clock.", Fault(kind=Kind.REORDERED), only=only),
        Named("webhook_dropped", "The event is never sent.", Fault(kind=Kind.DROPPED), only=only),
        Named("webhook_forged", "Before the event somebody else sends the same, not knowing the "
              "secret.", Fault(kind=Kind.FORGED), only=only),
    )  # fmt: skip


def events_about(name: str, about: str = "") -> Endpoint:
    """The events whose resource or category begins with `about`; "webhooks" are all."""
    return Endpoint(name, EVENT, f"^({about})" if about else "")


def refused_sign_in(status: int) -> tuple[Named, ...]:
    """What can go wrong at the token endpoint; `status` is the remote's for a wrong secret."""
    return (
        Named("refresh_reply_lost", "The token endpoint gives new tokens, and nobody gets them: the"
              " old refresh token is used up.", Fault(kind=Kind.LOST), only=("token",)),
        Named("client_refused", "The token endpoint says that client id or secret are wrong.",
              Fault(kind=Kind.STATUS, status=status, body='{"error":"invalid_client"}'),
              only=("token",)),
        Named("grant_refused", "The token endpoint says that code or refresh token are used up.",
              Fault(kind=Kind.STATUS, status=400, body='{"error":"invalid_grant"}'),
              only=("token",)),
    )  # fmt: skip
