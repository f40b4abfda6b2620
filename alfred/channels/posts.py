"""From the bytes of a post to what is in it, in one step that can be done in another process."""

from alfred.channels import normalise
from alfred.channels.body import read_body
from alfred.channels.item import Reading
from alfred.terms import ChannelType


def read_post(body: bytes, content_type: str, channel_type: ChannelType) -> tuple[Reading, bool]:
    """What the post says, and whether what is rejected of it, if anything, is all of it as it was posted.

    Raises:
        BrokenJson, UnreadableBody.
    """
    payload = read_body(body, content_type or None)
    reading = normalise(payload, channel_type)
    return reading, list(reading.rejected) in ([], [payload])
