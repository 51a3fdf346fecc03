"""Which server, as whom and about which institution: options, environment, configuration file."""

import functools
import inspect
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError

from app.client import Quickwin
from app.console import err
from app.remote.exits import Misused, told
from app.schemas.fields import Shape

LOCAL = "http://127.0.0.1:8000"
P = ParamSpec("P")

Server = Annotated[
    str | None,
    typer.Option(envvar="QUICKWIN_SERVER", help=f"Address of the server; {LOCAL} by default."),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="QUICKWIN_TOKEN",
        help="API token. Others on this machine can see what is given here: "
        "better put it into the environment or the configuration file.",
    ),
]
Institution = Annotated[
    str | None,
    typer.Option(
        envvar="QUICKWIN_INSTITUTION", help="Code of the institution; your own by default."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")]


class Configuration(Shape):
    """What the configuration file may have."""

    server: str | None = None
    token: str | None = None
    institution: str | None = None


def connect(
    server: Server = None, token: Token = None, institution: Institution = None
) -> Quickwin:
    """A client; what is not given comes from the configuration file. Raises `Misused`."""
    kept = configuration(configuration_file())
    chosen = server or kept.server or LOCAL
    secret = token or kept.token
    if secret is None:
        raise Misused(
            f"There is no token: set QUICKWIN_TOKEN, or write it into {configuration_file()}."
        )
    client = Quickwin(chosen, secret, institution or kept.institution)
    address = urlsplit(chosen)
    if address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}:
        err.print("[yellow]Warning[/yellow]: over http:// your token travels in the clear.")
    return client


def connected(command: Callable[Concatenate[Quickwin, P], None]) -> Callable[..., None]:
    """Give a command a client for its institution, and the options that say of which server."""
    client, *own = inspect.signature(command, eval_str=True).parameters.values()
    options = inspect.signature(connect, eval_str=True).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401  what has been typed
        chosen = {name: given.pop(name) for name in options}
        with told(), connect(**chosen) as quickwin:
            if quickwin.institution_code is None:
                quickwin.institution_code = _own_institution(quickwin)
            command(quickwin, **given)  # type: ignore[call-arg]

    parameters = [*own, *(each.replace(kind=client.KEYWORD_ONLY) for each in options.values())]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def configuration_file() -> Path:
    """Where the platform has a program's configuration."""
    return Path(typer.get_app_dir("quickwin")) / "config.toml"


def configuration(file: Path) -> Configuration:
    """What is in the file, if there is one; warns of a token that others can read."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            kept = Configuration.model_validate(tomllib.load(opened))
    except FileNotFoundError:
        return Configuration()
    except OSError as error:
        raise Misused(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misused(f"{file} is not TOML: {error}") from error
    except ValidationError as error:
        names = ", ".join(".".join(map(str, found["loc"])) for found in error.errors())
        detail = f"{file}: server, token and institution are texts, and there is nothing else"
        raise Misused(f"{detail}; see {names}") from error
    if kept.token is not None and os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        err.print(
            f"[yellow]Warning[/yellow]: others can read your token: chmod 600 {file}",
            soft_wrap=True,
        )
    return kept


def _own_institution(quickwin: Quickwin) -> str:
    code = quickwin.me().institution
    if code is None:
        raise Misused("Name an institution: --institution or QUICKWIN_INSTITUTION.")
    return code
