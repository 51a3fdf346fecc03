"""All tables, on one floor: whoever imports this package has the whole schema."""

from app.models.base import Base
from app.models.baselines import Baseline
from app.models.calendars import CalendarFeed
from app.models.criteria import Criterion, Score
from app.models.decrees import Decree, Designation
from app.models.deletions import Deletion
from app.models.dependencies import Dependency
from app.models.events import Event
from app.models.files import EvidenceFile, FileContent, UploadedFile
from app.models.floors import SchemaFloor
from app.models.frozen_reports import FrozenReport
from app.models.grants import RoleGrant
from app.models.healths import HealthWatch, UnitHealth
from app.models.idempotency import IdempotencyKey
from app.models.imports import Import
from app.models.indicators import Indicator, IndicatorValue
from app.models.initiatives import Initiative, InitiativeArea, InitiativeOwner, InitiativeTag
from app.models.institutions import Institution, InstitutionClock
from app.models.instruments import (
    Assessment,
    AssessmentScore,
    InitiativeLift,
    Instrument,
    InstrumentComponent,
)
from app.models.milestones import Milestone
from app.models.obstacles import FollowUp, Obstacle
from app.models.people import Person
from app.models.periods import ReportingPeriod
from app.models.programmes import InitiativeProgramme, Programme, ProgrammePart
from app.models.publications import Publication
from app.models.purposes import InitiativePurpose, Purpose, SchemePurpose
from app.models.ratings import Rating
from app.models.rollups import RollupPeriod, RollupTotal
from app.models.schemes import ReformArea, Scheme, SchemeArea
from app.models.sessions import BrowserSession
from app.models.stages import InitiativeStage, Stage
from app.models.teams import Appointment, TeamRole
from app.models.templates import Template, TemplateArea
from app.models.tokens import ApiToken, ServiceSecret
from app.models.units import Unit, UnitClosure, UnitMerger
from app.models.updates import ProgressUpdate
from app.models.verdicts import ClosingVerdict, Judgement
from app.models.webhooks import Webhook, WebhookDelivery, WebhookSecret

__all__ = [
    "ApiToken",
    "Appointment",
    "Assessment",
    "AssessmentScore",
    "Base",
    "Baseline",
    "BrowserSession",
    "CalendarFeed",
    "ClosingVerdict",
    "Criterion",
    "Decree",
    "Deletion",
    "Dependency",
    "Designation",
    "Event",
    "EvidenceFile",
    "FileContent",
    "FollowUp",
    "FrozenReport",
    "HealthWatch",
    "IdempotencyKey",
    "Import",
    "Indicator",
    "IndicatorValue",
    "Initiative",
    "InitiativeArea",
    "InitiativeLift",
    "InitiativeOwner",
    "InitiativeProgramme",
    "InitiativePurpose",
    "InitiativeStage",
    "InitiativeTag",
    "Institution",
    "InstitutionClock",
    "Instrument",
    "InstrumentComponent",
    "Judgement",
    "Milestone",
    "Obstacle",
    "Person",
    "Programme",
    "ProgrammePart",
    "ProgressUpdate",
    "Publication",
    "Purpose",
    "Rating",
    "ReformArea",
    "ReportingPeriod",
    "RoleGrant",
    "RollupPeriod",
    "RollupTotal",
    "SchemaFloor",
    "Scheme",
    "SchemeArea",
    "SchemePurpose",
    "Score",
    "ServiceSecret",
    "Stage",
    "TeamRole",
    "Template",
    "TemplateArea",
    "Unit",
    "UnitClosure",
    "UnitHealth",
    "UnitMerger",
    "UploadedFile",
    "Webhook",
    "WebhookDelivery",
    "WebhookSecret",
]
