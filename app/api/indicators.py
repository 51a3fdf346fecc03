"""Indicators over HTTP: of an institution's units, and national ones."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, OptionalIfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.fields import CODE_PATTERN
from app.schemas.indicators import (
    Indicator,
    IndicatorChanges,
    IndicatorQuery,
    IndicatorValue,
    IndicatorWithYears,
    NewIndicator,
    NewUnitIndicator,
    PeriodValue,
    UnitIndicatorQuery,
    ValueQuery,
)
from app.schemas.pages import Page
from app.services import indicator_values, indicators

_of_institution = router("/institutions/{institution}/indicators", "indicators")
_national = router("/indicators", "indicators")
IndicatorPath = Annotated[str, Path(description="Code or id of the indicator.", max_length=64)]
LabelPath = Annotated[
    str,
    Path(description="Label of the period, such as `2022-B03`.", pattern=CODE_PATTERN),
]
_NEW: dict[int | str, dict[str, Any]] = {201: {"model": IndicatorValue}}


@_of_institution.post("", status_code=201)
async def create_indicator(
    call: Call, institution: InstitutionPath, new: NewUnitIndicator, response: Response
) -> IndicatorWithYears:
    """Add an indicator to a unit, or to the institution as a whole."""
    made = await call.write(indicators.create, institution, new)
    return answers.created(response, made, "institutions", institution, "indicators", made.code)


@_of_institution.get("")
async def list_indicators(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[UnitIndicatorQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Indicator]:
    """Indicators by code, filtered."""
    return answers.paged(request, response, await call.read(indicators.page, institution, query))


@_of_institution.get("/{indicator}")
async def get_indicator(
    call: Call,
    institution: InstitutionPath,
    indicator: IndicatorPath,
    request: Request,
    response: Response,
) -> IndicatorWithYears:
    """One indicator with its years, as its periods add up."""
    found = await call.read(indicators.get, institution, indicator)
    return answers.fresh(request, response, found)


@_of_institution.patch("/{indicator}")
async def change_indicator(
    call: Call,
    institution: InstitutionPath,
    indicator: IndicatorPath,
    changes: IndicatorChanges,
    expected: IfMatch,
    response: Response,
) -> IndicatorWithYears:
    """Change an indicator, or retire it: what it has stays."""
    changed = await call.write(indicators.change, institution, indicator, changes, expected)
    return answers.tagged(response, changed)


@_of_institution.delete("/{indicator}", status_code=204)
async def delete_indicator(
    call: Call,
    institution: InstitutionPath,
    indicator: IndicatorPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete an indicator that was entered by mistake, for good; it owes a `reason`.

    It and its periods stay in its event. One that is measured no more is retired instead.
    """
    await call.write(indicator_values.remove_all, institution, indicator, expected, removal.reason)


@_of_institution.get("/{indicator}/values")
async def list_indicator_values(
    call: Call,
    institution: InstitutionPath,
    indicator: IndicatorPath,
    query: Annotated[ValueQuery, Query()],
    request: Request,
    response: Response,
) -> Page[IndicatorValue]:
    """Targets and actual values of an indicator, in the order of their periods."""
    found = await call.read(indicator_values.page, institution, indicator, query)
    return answers.paged(request, response, found)


@_of_institution.put("/{indicator}/values/{label}", responses=_NEW)
async def set_indicator_value(
    call: Call,
    institution: InstitutionPath,
    indicator: IndicatorPath,
    label: LabelPath,
    value: PeriodValue,
    expected: OptionalIfMatch,
    response: Response,
) -> IndicatorValue:
    """Set target and actual value of a period, whole; sent twice, it is the same."""
    found, is_new = await call.write(
        indicator_values.put, institution, indicator, label, value, expected
    )
    response.status_code = 201 if is_new else 200
    return answers.tagged(response, found)


@_national.post("", status_code=201)
async def create_national_indicator(
    call: Call, new: NewIndicator, response: Response
) -> IndicatorWithYears:
    """Add a national indicator; for operators."""
    made = await call.write(indicators.create, None, new)
    return answers.created(response, made, "indicators", made.code)


@_national.get("")
async def list_national_indicators(
    call: Call, query: Annotated[IndicatorQuery, Query()], request: Request, response: Response
) -> Page[Indicator]:
    """National indicators by code."""
    return answers.paged(request, response, await call.read(indicators.page, None, query))


@_national.get("/{national_indicator}")
async def get_national_indicator(
    call: Call, national_indicator: IndicatorPath, request: Request, response: Response
) -> IndicatorWithYears:
    """One national indicator with its years."""
    found = await call.read(indicators.get, None, national_indicator)
    return answers.fresh(request, response, found)


@_national.patch("/{national_indicator}")
async def change_national_indicator(
    call: Call,
    national_indicator: IndicatorPath,
    changes: IndicatorChanges,
    expected: IfMatch,
    response: Response,
) -> IndicatorWithYears:
    """Change or retire a national indicator; for operators."""
    changed = await call.write(indicators.change, None, national_indicator, changes, expected)
    return answers.tagged(response, changed)


@_national.delete("/{national_indicator}", status_code=204)
async def delete_national_indicator(
    call: Call,
    national_indicator: IndicatorPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a national indicator with its periods, for good; for operators. It owes a `reason`."""
    await call.write(
        indicator_values.remove_all, None, national_indicator, expected, removal.reason
    )


@_national.get("/{national_indicator}/values")
async def list_national_indicator_values(
    call: Call,
    national_indicator: IndicatorPath,
    query: Annotated[ValueQuery, Query()],
    request: Request,
    response: Response,
) -> Page[IndicatorValue]:
    """Targets and actual values of a national indicator, in the order of their periods."""
    found = await call.read(indicator_values.page, None, national_indicator, query)
    return answers.paged(request, response, found)


@_national.put("/{national_indicator}/values/{label}", responses=_NEW)
async def set_national_indicator_value(
    call: Call,
    national_indicator: IndicatorPath,
    label: LabelPath,
    value: PeriodValue,
    expected: OptionalIfMatch,
    response: Response,
) -> IndicatorValue:
    """Set target and actual value of a period of a national indicator; for operators."""
    found, is_new = await call.write(
        indicator_values.put, None, national_indicator, label, value, expected
    )
    response.status_code = 201 if is_new else 200
    return answers.tagged(response, found)


routes = APIRouter(routes=[*_of_institution.routes, *_national.routes])
