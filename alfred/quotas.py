"""How much of each kind one tenant may have: what is read as a whole for each event or request stays small.

What goes over is refused (409, or 429 where waiting helps), or, where a messenger would only repeat it, the oldest goes
or the newest is not kept.
"""

from typing import Literal

Kind = Literal[
    "tokens",
    "rules",
    "flows",
    "channels",
    "connections",
    "rules_size",
    "flows_size",
    "subscriptions",
    "facts",
    "tickets",
    "streams",
    "notification_streams",
    "rejected_posts",
    "rejected_bytes",
    "unknown_statuses",
]

QUOTAS: dict[Kind, int] = {
    "tokens": 500,
    "rules": 500,
    "flows": 500,
    "channels": 1_000,  # that are made by hand: those that a post names are made with it
    "connections": 500,
    # Bytes of all of them as stored, and 50 more for each value: all are read and tried for each message.
    "rules_size": 1_048_576,
    "flows_size": 2_097_152,
    "subscriptions": 50,
    "facts": 2_000,
    "tickets": 1_000,  # to open streams, made in a minute, for each process
    "streams": 20,  # of events, open at once in a process
    "notification_streams": 1_000,  # open at once in a process
    "rejected_posts": 500,  # kept; the oldest go
    "rejected_bytes": 67_108_864,  # of them; the oldest go
    "unknown_statuses": 10_000,  # of messages that are not there, in a day, for each process; the newest are not kept
}
