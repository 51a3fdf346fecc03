"""What a webhook was sent, without sending it."""

from datetime import timedelta
from uuid import UUID

from app.db import Database
from app.models.base import now
from app.services import dispatch
from app.services.dispatch import Result
from app.services.parcels import Address, Parcel
from tests.support.institution import Institution, Json

LEASE = timedelta(seconds=60)


async def address_of(institution: Institution, webhook: Json) -> Address:
    """A webhook as those who send know it."""
    found = await institution.expect(200, "GET", institution.path)
    return Address(UUID(found["id"]), UUID(webhook["id"]))


async def taken(database: Database, address: Address) -> Parcel | None:
    """What is to be sent next, under a lease."""
    return await database.write(dispatch.take, address, LEASE)


async def logged(institution: Institution, database: Database, webhook: Json) -> Json:
    """A delivery of the webhook's next event, as if it had been sent."""
    parcel = await taken(database, await address_of(institution, webhook))
    assert parcel is not None
    result = Result(now(), 5, 200, None)
    await database.write(dispatch.settle, parcel, result, (), None)
    listed = await institution.get(f"webhooks/{webhook['id']}/deliveries", limit=1)
    return dict(listed["items"][0])
