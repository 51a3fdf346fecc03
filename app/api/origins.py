"""Where a request comes from: our own pages, or somebody else's.

Browsers say it themselves, by `Sec-Fetch-Site`, and older ones by `Origin`; no page can change what
they say (Fetch Metadata; OWASP calls it resource isolation). So forms need no secret of their own.
"""

from starlette.requests import HTTPConnection

from app.api.refusals import CrossSite
from app.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def own(connection: HTTPConnection) -> str:
    """How browsers name us: scheme, host and, if it is another than usual, port."""
    settings: Settings = connection.app.state.settings
    if settings.public_url is not None:
        return settings.public_url
    scheme, host = connection.url.scheme, connection.headers.get("host", "").lower()
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def demand_own(connection: HTTPConnection) -> None:
    """Raise `CrossSite` unless a page of ours sends this: for what has an effect."""
    site = connection.headers.get("sec-fetch-site")
    if site is None:
        is_own = connection.headers.get("origin") == own(connection)
    else:
        is_own = site == "same-origin"
    if not is_own:
        raise CrossSite


def refuse_foreign(connection: HTTPConnection, *, links: bool = False) -> None:
    """Raise `CrossSite` where somebody else's page asks for data: for what has no effect.

    Who types an address, and an old browser, which says nothing with a plain GET, may read. With
    `links` so may who follows one here from elsewhere.
    """
    headers = connection.headers
    site = headers.get("sec-fetch-site")
    if site is None:
        is_own = headers.get("origin") in {None, own(connection)}
    else:
        is_own = site in {"same-origin", "none"} or (
            links
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
    if not is_own:
        raise CrossSite
