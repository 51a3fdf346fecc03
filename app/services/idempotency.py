"""Idempotency: a request that is sent again under its key has no second effect, but the first answer.

`once` turns a verb into one that is kept from acting twice. It keeps what the verb returned, not an
HTTP response: the endpoint goes on from it as from the verb itself. The model is the IETF's
draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, get_type_hints

from cryptography.fernet import Fernet, InvalidToken
from pydantic import TypeAdapter
from sqlalchemy import Insert, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import expiry
from app.errors import AnswerSealed, IdempotencyKeyReused
from app.models import IdempotencyKey
from app.models.base import now
from app.models.base import table as table_of
from app.schemas.fields import shows_secret
from app.services import rights, sealing
from app.services.actors import Actor
from app.services.rights import Demand

"""How long a request is remembered."""
MOST_FORGOTTEN = 200
"""Expired keys that one transaction removes at most."""
_FORGETS_ONCE_IN = 32
"""One new key in so many removes expired ones: more go than come, and few requests pay for it."""

P = ParamSpec("P")
T = TypeVar("T")


class Key(NamedTuple):
    """A caller's name for one request."""

    name: str
    """As the caller chose it."""
    fingerprint: str
    """What is asked, as a digest: method, address and payload."""
    secret: str
    """The caller's token, by which answers that show a secret are sealed."""

    @property
    def digest(self) -> str:
        """How the name is kept: SHA-256, hex."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def of_form(name: str, asked: list[str]) -> Key:
    """The key of a form that was served with this name, for what it asks; it shows no secret."""
    fingerprint = hashlib.sha256("\n".join(asked).encode()).hexdigest()
    return Key(f"form {name}", fingerprint, "")


def once(
    verb: Callable[Concatenate[Session, Actor, P], T], key: Key
) -> Callable[Concatenate[Session, Actor, P], tuple[T, bool]]:
    """A verb that acts once under a key; it answers the result, and whether that is a replay.

    A replay is authorised first: what the effect demanded is demanded of today's actor. Raises
    `IdempotencyKeyReused` where the key stands for another request, and `AnswerSealed`.
    """

    def act(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> tuple[T, bool]:
        # First of all: who waits for a twin holds nothing that the twin may need.
        if not _claim(session, actor, key):
            return _replay(session, actor, key, _shape(verb)), True
        result = verb(session, actor, *args, **kwargs)
        _keep(session, actor, key, result, _shape(verb))
        return result, False

    return act


def forget(session: Session, most: int = MOST_FORGOTTEN) -> int:
    """Remove expired keys, the oldest first and at most so many; answers how many they were."""
    return EXPIRED.remove(session, now(), most)


_KEYS = table_of(IdempotencyKey)
_MINE = (_KEYS.c.actor_id == bindparam("caller"), _KEYS.c.digest == bindparam("key"))
_FIND = select(_KEYS.c.fingerprint, _KEYS.c.answer, _KEYS.c.is_sealed, _KEYS.c.demands).where(
    *_MINE
)
_KEEP = (
    update(_KEYS)
    .where(*_MINE)
    .values({name: bindparam(f"new_{name}") for name in ("answer", "is_sealed", "demands")})
)
EXPIRED = expiry.Expiring(_KEYS, _KEYS.c.expires_at)  # but not one that is being taken over
_DEMANDS = TypeAdapter(list[Demand])


def _claiming(dialect: Any) -> Insert:  # noqa: ANN401  the two dialects' modules share no type
    statement = dialect.insert(_KEYS)
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=list(_KEYS.primary_key.columns),
        set_={c.name: statement.excluded[c.name] for c in _KEYS.c if not c.primary_key},
        where=_KEYS.c.expires_at <= statement.excluded.claimed_at,
    ).returning(_KEYS.c.digest)


_CLAIMS = {"sqlite": _claiming(sqlite), "postgresql": _claiming(postgresql)}


def _claim(session: Session, actor: Actor, key: Key) -> bool:
    """Make the key stand for this request; false where it stands for one already.

    Waits for a transaction that claims the same key. An expired key is as good as none.
    """
    connection, at = session.connection(), now()
    row = {
        "actor_id": actor.id,
        "digest": key.digest,
        "fingerprint": key.fingerprint,
        "answer": b"",
        "is_sealed": False,
        "demands": [],
        "claimed_at": at,
        "expires_at": at + expiry.kept(session).keys,
    }
    return connection.execute(_CLAIMS[connection.dialect.name], row).first() is not None


def _replay(session: Session, actor: Actor, key: Key, shape: TypeAdapter[T]) -> T:
    kept = session.connection().execute(_FIND, {"caller": actor.id, "key": key.digest}).one()
    if kept.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    rights.demand_again(session, actor, _DEMANDS.validate_python(kept.demands))
    return shape.validate_json(_open(key, kept.answer) if kept.is_sealed else kept.answer)


def _keep(session: Session, actor: Actor, key: Key, result: T, shape: TypeAdapter[T]) -> None:
    answer, is_sealed = shape.dump_json(result, by_alias=True), shows_secret(result)
    session.connection().execute(
        _KEEP,
        {
            "caller": actor.id,
            "key": key.digest,
            "new_answer": _cipher(key).encrypt(answer) if is_sealed else answer,
            "new_is_sealed": is_sealed,
            "new_demands": _DEMANDS.dump_python(
                list(dict.fromkeys(rights.demanded(session))), mode="json"
            ),
        },
    )
    if int(key.digest[:8], 16) % _FORGETS_ONCE_IN == 0:
        forget(session)


@cache
def _shape(verb: Callable[..., T]) -> TypeAdapter[T]:
    """What a verb returns, as its annotation says."""
    return TypeAdapter(get_type_hints(verb)["return"])


def _open(key: Key, sealed: bytes) -> bytes:
    try:
        return _cipher(key).decrypt(sealed)
    except InvalidToken as error:
        raise AnswerSealed from error


def _cipher(key: Key) -> Fernet:
    """The key that only the caller has: of the token, which is kept here as a digest alone."""
    return sealing.cipher(key.secret, b"idempotency", key.digest.encode())
