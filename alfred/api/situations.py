"""A situation to try a rule or a flow on: what the request leaves out is read by the assistant."""

from alfred.ai.provider import Classification
from alfred.api.assistant import assistant_of
from alfred.http.context import Caller, Services
from alfred.queries import Db, sql
from alfred.rules.situation import CLASSIFIED, Situation, SituationInput, fill


async def situation(
    db: Db, caller: Caller, services: Services, given: SituationInput
) -> tuple[Situation, Classification]:
    """The whole situation, and how its text was read."""
    read = await assistant_of(services, caller.user_id).classify(given.text, language=given.language)
    zone = await sql.users.timezone.value(db, user_id=caller.user_id)
    said = {name: getattr(given, name) for name in CLASSIFIED if getattr(given, name) is not None}
    read = read.model_copy(update=said)
    return fill(given, read, services.clock(), zone), read
