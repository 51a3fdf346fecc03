"""A process's way to its database, for servers and for commands that never load the API."""

from app import expiry
from app.db import Database
from app.filing import storage
from app.keyset import CURSOR_KEY
from app.outbound import RULES, Rules
from app.services.operators import service_secret
from app.services.signing import SEAL
from app.settings import Settings


async def open_database(chosen: Settings, *, serving: bool = False) -> Database:
    """A migrated database, with what verbs need to know of their process in its sessions.

    While `serving`, a transaction ends when the time for a request is over.
    """
    database = Database(chosen, limited=serving)
    if chosen.cursor_key is not None:
        key = chosen.cursor_key.get_secret_value()
    else:
        key = await database.write(service_secret, "cursor")
    database.session_info[CURSOR_KEY] = key
    if chosen.webhook_key is not None:
        seal = chosen.webhook_key.get_secret_value()
    else:
        seal = await database.write(service_secret, "webhooks")
    database.session_info[SEAL] = seal
    database.session_info[storage.KEY] = storage.of(chosen)
    database.session_info[expiry.KEPT] = expiry.Kept.by(chosen)
    database.session_info[RULES] = Rules(chosen.webhook_networks, chosen.webhook_ports)
    return database
