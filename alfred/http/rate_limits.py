"""A generous limit for each token, as a bucket that refills: bursts pass, floods do not. Per process."""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from alfred.http.problems import Problem

_MOST_BUCKETS = 10_000


@dataclass
class Bucket:
    """What is left, and when that was so (monotonic seconds)."""

    left: float
    at: float


class Limits:
    """`per_minute` requests for each token or user, all of them at once if need be; `code` and `detail` refuse more."""

    def __init__(
        self, per_minute: int, code: str = "too_many_requests", detail: str = "This token asks too often."
    ) -> None:
        self.per_minute = per_minute
        self._code, self._detail = code, detail
        self._buckets: OrderedDict[UUID, Bucket] = OrderedDict()

    def take(self, who: UUID) -> dict[str, str]:
        """Count one request; the headers that tell what is left.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        now = time.monotonic()
        bucket = self._buckets.pop(who, None) or Bucket(self.per_minute, now)
        rate = self.per_minute / 60
        bucket.left = min(self.per_minute, bucket.left + (now - bucket.at) * rate)
        bucket.at = now
        self._buckets[who] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        allowed = bucket.left >= 1
        bucket.left -= allowed
        headers = {
            "RateLimit-Limit": str(self.per_minute),
            "RateLimit-Remaining": str(int(bucket.left)),
            "RateLimit-Reset": str(math.ceil((self.per_minute - bucket.left) / rate)),
        }
        if not allowed:
            wait = str(math.ceil((1 - bucket.left) / rate))
            raise Problem(429, self._code, self._detail, headers={"Retry-After": wait, **headers})
        return headers
