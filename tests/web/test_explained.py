"""The page that explains every error."""

import re

import httpx
import pytest
from fastapi import FastAPI
from markupsafe import escape

from app import errors
from app.languages import words
from app.schemas.fields import Language
from app.web.cures import CURES
from app.web.explained import groups
from tests.conftest import Clients

HTML = {"Accept": "text/html"}


def test_each_code_has_a_cure_and_no_cure_is_left_over() -> None:
    codes = [error.code for group in groups() for error in group.errors]
    assert len(codes) == len(set(codes)), "a code has one status"
    assert set(codes) == set(CURES)
    assert {"not_found", "period_locked", "has_macros", "cross_site"} <= set(codes)


def test_causes_are_what_the_errors_say() -> None:
    told = {error.code: error for group in groups() for error in group.errors}
    assert told["own_report"].causes == (errors.OwnReport().detail,)
    assert errors.InvalidToken().detail in told["unauthorized"].causes
    assert told["conflict"].causes[0] == errors.Conflict().detail


@pytest.mark.parametrize("language", list(Language))
async def test_every_error_has_its_place_on_the_page(
    app: FastAPI, clients: Clients, language: Language
) -> None:
    answer = await clients.nobody.get("/errors", headers=HTML | {"Accept-Language": language})
    assert answer.status_code == 200
    for code, cure in CURES.items():
        assert f'<article id="{code}">' in answer.text
        assert shown(words(language).gettext(cure)) in answer.text
    anchors = re.findall(r' id="([^"]+)"', answer.text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= set(anchors)


async def test_an_error_leads_to_its_explanation(clients: Clients) -> None:
    answer: httpx.Response = await clients.operator.get("/institutions/nowhere", headers=HTML)
    assert answer.status_code == 404
    assert 'href="/errors#not_found"' in answer.text


def shown(text: str) -> str:
    """As it stands in a page."""
    return str(escape(text))
