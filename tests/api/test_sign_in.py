"""Signing in with access tokens of an OIDC issuer: who comes in, and whom they are taken for."""

import time

import pytest
from pydantic import ValidationError

from app import neighbours
from app.checks import Level
from app.db import Database
from app.services import operators
from app.settings import Settings
from tests.api.conftest import Relying
from tests.conftest import OPERATOR
from tests.support.institution import API, Institution, Json
from tests.support.issuer import AUDIENCE, LocalIssuer
from tests.support.postgres import free_port


@pytest.fixture
async def subject(institution: Institution) -> str:
    """The subject of the institution's reporter."""
    subject = f"6f1c|{institution.code}"
    await institution.patch("people/reporter", {"oidc_subject": subject})
    return subject


@pytest.fixture
def email(institution: Institution) -> str:
    """An address that nobody else has."""
    return f"siti@{institution.code}.example"


async def test_a_person_signs_in_by_either_algorithm(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    for key in (issuer.rsa, issuer.ec):
        answer = await relying.me(issuer.token(key, sub=subject))
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told == told | {
            "actor": "reporter", "operator": False, "institution": institution.code,
            "person": "reporter", "signed_in_with": "oidc", "token_id": None, "token_name": "oidc",
        }  # fmt: skip
    assert issuer.asked == ["/.well-known/openid-configuration", "/jwks"]


async def test_what_they_do_bears_their_name(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    answer = await relying.client.post(
        f"{institution.path}/initiatives/QW-1/milestones/1/updates",
        json={"percent_complete": 40},
        headers={"Authorization": f"Bearer {issuer.token(sub=subject)}"},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["reported_by"] == "reporter"
    event = (await institution.get("events", limit=200))["items"][-1]
    assert (event["type"], event["actor"]) == ("update.reported", "reporter")


async def test_they_may_do_what_their_roles_allow(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str, email: str
) -> None:
    """No more and no less than with an API token, however the person was found."""
    own = institution.reporter.headers["Authorization"].removeprefix("Bearer ")
    rights = (await relying.me(own)).json()["rights"]
    assert [right["role"] for right in rights] == ["reporter"]
    token = issuer.token(sub=subject)
    told = (await relying.me(token)).json()
    assert (told["rights"], told["scopes"]) == (rights, None)
    headers = {"Authorization": f"Bearer {token}"}
    for method, path in (("POST", f"{institution.path}/people"), ("POST", f"{API}/institutions")):
        answer = await relying.client.request(
            method, path, json={"code": "x", "name": "X"}, headers=headers
        )
        assert answer.status_code == 403
    assert (
        await relying.client.get(f"{API}/institutions/kpu-none", headers=headers)
    ).status_code == 404
    await institution.patch("people/reporter", {"oidc_subject": None, "email": email})
    by_address = issuer.token(email=email, email_verified=True)
    assert (await relying.me(by_address)).json()["rights"] == rights


async def test_nobody_becomes_somebody_who_may_do_more(institution: Institution) -> None:
    """Who gives a person a subject or an address may sign in as them: they need all their rights."""
    await institution.unit("A")
    admin = await institution.person("admin-a", "admin", "A")
    await institution.post("people", {"code": "chief", "name": "Chief", "unit": "A"})
    path = f"{institution.path}/people/chief"
    own: Json = {"oidc_subject": f"own of {institution.code}", "email": "own@kpu.example"}
    await institution.expect(200, "PATCH", path, own, if_match="*", client=admin)
    grant = {"person": "chief", "role": "viewer"}
    await institution.post("grants", grant)
    for name, value in own.items():
        change = {name: f"x{value}"}
        told = await institution.expect(403, "PATCH", path, change, if_match="*", client=admin)
        assert told["code"] == "forbidden"
    await admin.aclose()


async def test_api_tokens_are_what_they_were(
    relying: Relying, issuer: LocalIssuer, institution: Institution
) -> None:
    told = (await relying.me(OPERATOR)).json()
    assert (told["signed_in_with"], told["token_name"]) == ("api_token", "QUICKWIN_ADMIN_TOKEN")
    assert told["token_id"]
    own = institution.reporter.headers["Authorization"].removeprefix("Bearer ")
    assert (await relying.me(own)).json()["actor"] == "reporter"
    assert issuer.asked == []


async def test_an_operators_own_token_may_look_like_a_jwt(
    relying: Relying, issuer: LocalIssuer, database: Database
) -> None:
    """The longest that the settings take; a signed JWT with the claims that we want is longer."""
    header, _, signature = issuer.token(issuer.ec).split(".")
    own = f"{header}.{signature}.".ljust(200, "x")
    issuer.answers["/jwks"] = (500, {}, b"")
    assert await relying.status(own) == 401
    await database.write(operators.first_start, own)
    try:
        assert (await relying.me(own)).json()["operator"] is True
    finally:
        await database.write(operators.first_start, OPERATOR)
    assert await relying.status(own) == 401
    assert issuer.asked == []


async def test_a_verified_address_finds_its_person(
    relying: Relying, issuer: LocalIssuer, institution: Institution, email: str
) -> None:
    await institution.patch("people/reporter", {"email": email.upper()})
    token = issuer.token(email=email.title(), email_verified=True)
    assert (await relying.me(token)).json()["actor"] == "reporter"
    for other in (f"other-{email}", None):
        await institution.patch("people/reporter", {"email": email})
        assert await relying.status(token) == 200
        await institution.patch("people/reporter", {"email": other})
        assert await relying.status(token) == 401


@pytest.mark.parametrize("verified", [False, None, ..., "true", 1, [True]])
async def test_an_address_that_is_not_verified_finds_nobody(
    relying: Relying, issuer: LocalIssuer, institution: Institution, email: str, verified: object
) -> None:
    await institution.patch("people/reporter", {"email": email})
    assert await relying.status(issuer.token(email=email, email_verified=True)) == 200
    assert await relying.status(issuer.token(email=email, email_verified=verified)) == 401


async def test_an_address_of_two_finds_neither(
    relying: Relying, issuer: LocalIssuer, institution: Institution, email: str
) -> None:
    """Wherever in the service the other is, and if only the other has a subject."""
    await institution.patch("people/reporter", {"email": email})
    token = issuer.token(email=email, email_verified=True)
    other = f"{institution.code}-b"
    await institution.expect(201, "POST", f"{API}/institutions", {"code": other, "name": "Other"})
    people = f"{API}/institutions/{other}/people"
    namesake = {"code": "siti", "name": "Siti", "email": email.upper()}
    await institution.expect(201, "POST", people, namesake)
    assert await relying.status(token) == 401
    changes: Json = {"oidc_subject": f"another of {email}"}
    await institution.expect(200, "PATCH", f"{people}/siti", changes, if_match="*")
    assert await relying.status(token) == 401
    changes = {"active": False}
    await institution.expect(200, "PATCH", f"{people}/siti", changes, if_match="*")
    assert (await relying.me(token)).json()["actor"] == "reporter"


async def test_a_subject_goes_before_an_address(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str, email: str
) -> None:
    """Even an inactive person's: their successor with the same address is somebody else."""
    await institution.patch("people/verifier", {"email": email})
    token = issuer.token(sub=subject, email=email, email_verified=True)
    assert (await relying.me(token)).json()["actor"] == "reporter"
    await institution.patch("people/reporter", {"active": False})
    assert await relying.status(token) == 401


async def test_an_address_does_not_overrule_a_subject(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str, email: str
) -> None:
    """An address that was given to somebody else at the issuer lets nobody in as its old owner."""
    await institution.patch("people/reporter", {"email": email})
    assert await relying.status(issuer.token(email=email, email_verified=True)) == 401
    await institution.patch("people/reporter", {"oidc_subject": None})
    assert await relying.status(issuer.token(email=email, email_verified=True)) == 200


@pytest.mark.parametrize("lookalike", ["\u212a", "\u0131", "i\u0307"])
async def test_letters_that_look_alike_are_different(
    relying: Relying, issuer: LocalIssuer, institution: Institution, lookalike: str
) -> None:
    """The kelvin sign and the dotless i become k and i when Unicode folds their case."""
    domain = f"{institution.code}.example"
    await institution.patch("people/reporter", {"email": f"ki@{domain}"})
    for address in (f"{lookalike}i@{domain}", f"k{lookalike}@{domain}"):
        assert await relying.status(issuer.token(email=address, email_verified=True)) == 401
    await institution.patch("people/reporter", {"email": f"{lookalike}@{domain}"})
    for plain in "kiKI":
        token = issuer.token(email=f"{plain}@{domain}", email_verified=True)
        assert await relying.status(token) == 401


async def test_who_is_deactivated_is_out_from_the_next_request_on(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str, email: str
) -> None:
    await institution.patch("people/verifier", {"email": email})
    for person, token in (
        ("reporter", issuer.token(sub=subject)),
        ("verifier", issuer.token(email=email, email_verified=True)),
    ):
        assert await relying.status(token) == 200
        await institution.patch(f"people/{person}", {"active": False})
        assert await relying.status(token) == 401
        await institution.patch(f"people/{person}", {"active": True})
        assert await relying.status(token) == 200


async def test_clocks_may_differ_by_the_leeway(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    now = int(time.time())
    near: list[Json] = [{"exp": now - 20}, {"nbf": now + 20}, {"iat": now + 20}, {"exp": now + 9.5}]
    for claims in near:
        assert await relying.status(issuer.token(sub=subject, **claims)) == 200
    far: list[Json] = [{"exp": now - 40}, {"nbf": now + 40}, {"iat": now + 40}]
    for claims in far:
        assert await relying.status(issuer.token(sub=subject, **claims)) == 401
    await relying.configure(oidc_leeway_seconds=0)
    assert await relying.status(issuer.token(sub=subject, exp=now - 1)) == 401


async def test_one_of_several_audiences(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    assert await relying.status(issuer.token(sub=subject, aud=["account", AUDIENCE])) == 200


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_the_type_of_access_tokens(
    relying: Relying, issuer: LocalIssuer, subject: str, typ: str
) -> None:
    assert await relying.status(issuer.token(sub=subject, header={"typ": typ})) == 200


async def test_older_issuers_name_no_type_of_their_own(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    await relying.configure(oidc_plain_jwt=True)
    for typ in ("JWT", "jwt", ..., "at+jwt"):
        assert await relying.status(issuer.token(sub=subject, header={"typ": typ})) == 200
    assert await relying.status(issuer.token(sub=subject, typ="Bearer")) == 200
    others: list[Json] = [{"at_hash": "x"}, {"c_hash": "x"}, {"typ": "ID"}, {"typ": "Refresh"}]
    for claims in others:
        token = issuer.token(sub=subject, header={"typ": "JWT"}, **claims)
        assert await relying.status(token) == 401
    for typ in ("id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt"):
        assert await relying.status(issuer.token(sub=subject, header={"typ": typ})) == 401


async def test_claims_may_have_other_names(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str, email: str
) -> None:
    await institution.patch("people/verifier", {"email": email})
    await relying.configure(
        oidc_subject_claim="oid", oidc_email_claim="upn", oidc_email_verified_claim="xms_edov"
    )
    assert (await relying.me(issuer.token(oid=subject))).json()["actor"] == "reporter"
    assert await relying.status(issuer.token(sub=subject)) == 401
    token = issuer.token(oid="new", upn=email, xms_edov=True)
    assert (await relying.me(token)).json()["actor"] == "verifier"
    assert await relying.status(issuer.token(oid="new", email=email, email_verified=True)) == 401


async def test_addresses_can_be_left_out_of_account(
    relying: Relying, issuer: LocalIssuer, institution: Institution, email: str
) -> None:
    await institution.patch("people/reporter", {"email": email})
    claims: Json = {"email": email, "": email, "email_verified": True}
    await relying.configure(oidc_email_claim="")
    assert await relying.status(issuer.token(**claims)) == 401


async def test_one_algorithm_may_be_enough(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    await relying.configure(oidc_algorithms="ES256")
    assert await relying.status(issuer.token(issuer.ec, sub=subject)) == 200
    assert await relying.status(issuer.token(issuer.rsa, sub=subject)) == 401


async def test_a_subject_is_one_persons_in_the_whole_service(
    institution: Institution, subject: str
) -> None:
    for method, path, body in (
        ("PATCH", "people/verifier", {"oidc_subject": subject}),
        ("POST", "people", {"code": "third", "name": "Third", "oidc_subject": subject}),
    ):
        to = f"{institution.path}/{path}"
        told = await institution.expect(409, method, to, body, if_match="*")
        assert told["code"] == "subject_taken"
    other = f"{institution.code}-b"
    await institution.expect(201, "POST", f"{API}/institutions", {"code": other, "name": "Other"})
    body = {"code": "siti", "name": "Siti", "oidc_subject": subject}
    people = f"{API}/institutions/{other}/people"
    assert (await institution.expect(409, "POST", people, body))["code"] == "subject_taken"
    same = await institution.patch("people/reporter", {"oidc_subject": subject, "name": "New"})
    assert same["oidc_subject"] == subject
    assert (await institution.patch("people/reporter", {"oidc_subject": None}))["name"] == "New"
    made = await institution.expect(201, "POST", people, body)
    assert made["oidc_subject"] == subject


async def test_the_trail_says_who_gave_a_subject(institution: Institution, subject: str) -> None:
    (event,) = (await institution.get("events", type="person.changed"))["items"]
    assert event["changes"] == {"oidc_subject": {"before": None, "after": subject}}


async def test_the_trail_says_how_one_came_in(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(sub=subject)}"}
    token = await relying.client.post(
        f"{institution.path}/tokens", json={"name": "laptop"}, headers=headers
    )
    assert token.status_code == 201, token.text
    (event,) = (await institution.get("events", type="token.created", actor="reporter"))["items"]
    assert (event["token_id"], event["token_name"]) == (None, "oidc")


async def test_a_person_comes_back_with_their_subject_unless_it_went_to_another(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    token = issuer.token(sub=f"{subject}-2")
    body = {"code": "budi", "name": "Budi", "oidc_subject": f"{subject}-2"}
    await institution.post("people", body)
    assert await relying.status(token) == 200
    await institution.delete("people/budi")
    assert await relying.status(token) == 401
    (deleted,) = (await institution.get("deletions"))["items"]
    restoration = f"{institution.path}/deletions/{deleted['id']}/restoration"
    await institution.patch("people/verifier", {"oidc_subject": f"{subject}-2"})
    told = await institution.expect(409, "POST", restoration)
    assert told["code"] == "subject_taken"
    await institution.patch("people/verifier", {"oidc_subject": None})
    await institution.expect(201, "POST", restoration)
    assert (await relying.me(token)).json()["actor"] == "budi"


@pytest.mark.parametrize("subject", ["", " a", "a ", "a\u00e9", "a\nb", "a" * 256, 7, ["a"]])
async def test_a_subject_is_printable(institution: Institution, subject: object) -> None:
    told = await institution.patch("people/reporter", {"oidc_subject": subject}, 422)
    assert told["errors"][0]["pointer"] == "/oidc_subject"


async def test_the_document_names_the_issuer(relying: Relying, issuer: LocalIssuer) -> None:
    document = (await relying.client.get("/openapi.json")).json()
    scheme = document["components"]["securitySchemes"]["oidc"]
    assert scheme["type"] == "openIdConnect"
    assert scheme["openIdConnectUrl"] == f"{issuer.url}/.well-known/openid-configuration"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/api") and not path.startswith(f"{API}/public/"):
                # A calendar's own key, in its address, stands instead of both.
                ways = [way for way in operation["security"] if way]
                assert ways == [{"token": []}, {"oidc": []}]
            else:
                assert operation["security"] == []


async def test_without_an_issuer_a_jwt_is_unknown(
    institution: Institution, issuer: LocalIssuer, subject: str
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(sub=subject)}"}
    answer = await institution.reporter.get(f"{API}/me", headers=headers)
    assert answer.status_code == 401
    document = (await institution.operator.get("/openapi.json")).json()
    assert list(document["components"]["securitySchemes"]) == ["token"]
    assert issuer.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_audience": None}, {"oidc_issuer": None}, {"oidc_issuer": "http://login.example"},
        {"oidc_issuer": "login.example"}, {"oidc_issuer": "https://login.example?realm=a"},
        {"oidc_issuer": "https://a@login.example"}, {"oidc_issuer": "https://login.example/#a"},
        {"oidc_issuer": "http://127.0.0.1.example"}, {"oidc_algorithms": "HS256"},
        {"oidc_algorithms": "RS256,none"}, {"oidc_algorithms": ""}, {"oidc_leeway_seconds": 61},
    ],
)  # fmt: skip
def test_settings_that_would_do_harm(wrong: Json) -> None:
    good: Json = {"oidc_issuer": "https://login.example/realms/kpu", "oidc_audience": "quickwin"}
    assert Settings(**good).oidc_algorithms == {"RS256", "ES256"}
    with pytest.raises(ValidationError):
        Settings(**good | wrong)


async def test_the_doctor_looks_at_the_issuer(
    issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(**changes: object) -> tuple[Level, str]:
        given: Json = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE} | changes
        (found,) = await neighbours.all_of(Settings(database_url="sqlite://", **given))
        assert (found.check, bool(found.cure)) == ("issuer", found.level is not Level.OK)
        return found.level, found.told

    assert await told() == (
        Level.OK, "It describes itself, and publishes 2 keys that tokens may have.",
    )  # fmt: skip
    monkeypatch.setattr(neighbours, "CLOCK_SECONDS", -100.0)
    level, said = await told()
    assert (level, "s apart" in said) == (Level.WARNING, True)
    monkeypatch.undo()
    issuer.described = {"authorization_endpoint": None}
    assert (await told())[0] is Level.OK
    assert await told(oidc_client_id="pages") == (
        Level.PROBLEM, "It does not say where people sign in with a browser.",
    )  # fmt: skip
    issuer.keys = [issuer.ec.jwk]
    level, said = await told(oidc_algorithms="RS256")
    assert (level, said) == (Level.PROBLEM, "It publishes no key that checks a token by RS256.")
    for described, reason in (
        ({"issuer": "https://other.example"}, "names another issuer"),
        ({"jwks_uri": f"{issuer.url}/nowhere"}, "status 404"),
        ({"jwks_uri": 4711}, "jwks_uri"),
    ):
        issuer.described = described
        level, said = await told()
        assert (level, reason in said, "4711" in said) == (Level.PROBLEM, True, False)
    closed = f"http://127.0.0.1:{free_port()}"
    level, said = await told(oidc_issuer=closed)
    assert (level, said.startswith("Nobody can sign in by it: ")) == (Level.PROBLEM, True)
