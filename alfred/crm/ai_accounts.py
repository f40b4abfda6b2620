"""The model from outside that a tenant has asked for: kept with an encrypted key, read by whoever calls it."""

from dataclasses import dataclass, field
from uuid import UUID

from alfred.ai.llm.exchange import Account
from alfred.queries import Db, Row, sql
from alfred.terms import Language, ModelFeature, ModelKind
from alfred.vault import DamagedSecret, UnknownKey, Vault, place


@dataclass(frozen=True)
class Wanted:
    """What PUT asks for; `keep_key` leaves the stored key as it is."""

    kind: ModelKind
    base_url: str | None
    model: str | None
    features: tuple[ModelFeature, ...]
    daily_tokens: int
    language: Language | None
    key: str | None = field(repr=False)
    keep_key: bool


@dataclass(frozen=True)
class Chosen:
    """A tenant's model, ready to be called; None as the account where its key or the service's account is gone."""

    account: Account | None
    kind: ModelKind
    features: frozenset[str]
    daily_tokens: int
    language: Language | None
    tokens_today: int

    @property
    def is_spent(self) -> bool:
        """Whether the day's tokens are used up."""
        return self.tokens_today >= self.daily_tokens


async def put(db: Db, vault: Vault, user_id: UUID, wanted: Wanted) -> None:
    """Keep what is wanted."""
    sealed = vault.encrypt(wanted.key, _place(user_id)) if wanted.key is not None else None
    await sql.ai_providers.put.run(
        db,
        user_id=user_id,
        kind=wanted.kind,
        base_url=wanted.base_url,
        model=wanted.model,
        features=list(wanted.features),
        daily_tokens=wanted.daily_tokens,
        language=wanted.language,
        sealed=sealed,
        keep_key=wanted.keep_key,
    )


async def chosen(db: Db, vault: Vault, user_id: UUID, service_wide: Account | None) -> Chosen | None:
    """A tenant's model; None where none was asked for."""
    row = await sql.ai_providers.get.one(db, user_id=user_id)
    if row is None:
        return None
    account = service_wide if row["kind"] == "default" else _own(vault, user_id, row)
    features = frozenset(row["features"])
    return Chosen(account, row["kind"], features, row["daily_tokens"], row["language"], row["tokens_today"])


async def reseal(db: Db, vault: Vault, user_id: UUID) -> tuple[int, int]:
    """Encrypt a user's key with the first key: how many were changed, and how many nobody can read."""
    row = await sql.ai_providers.get.one(db, user_id=user_id)
    if row is None or row["sealed"] is None or vault.is_current(row["sealed"]):
        return 0, 0
    try:
        renewed = vault.encrypt(vault.decrypt(row["sealed"], _place(user_id)), _place(user_id))
    except (UnknownKey, DamagedSecret):
        return 0, 1
    await sql.ai_providers.reseal.run(db, user_id=user_id, sealed=renewed)
    return 1, 0


def _own(vault: Vault, user_id: UUID, row: Row) -> Account | None:
    try:
        key = vault.decrypt(row["sealed"], _place(user_id)) if row["sealed"] is not None else None
    except (UnknownKey, DamagedSecret):
        return None
    return Account(row["kind"], row["base_url"], row["model"], key)


def _place(user_id: UUID) -> str:
    return place(user_id, "ai_provider", "api_key")
