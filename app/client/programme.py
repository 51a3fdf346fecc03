"""Operations around the plans: choosing, copies, evidence, periods, obstacles, the index, verdicts."""

from pathlib import Path
from uuid import UUID

from app.client import calls
from app.client.calls import Call, Stretch
from app.client.places import Day, Fields, Filter, Place, pages, version_of
from app.client.twins import listing, operation
from app.schemas.assessments import Assessment, NewAssessment
from app.schemas.candidates import Candidate
from app.schemas.designations import Designations, NewDesignations
from app.schemas.files import File
from app.schemas.indicators import Indicator, IndicatorValue, PeriodValue
from app.schemas.judgements import Judgement
from app.schemas.obstacles import NewObstacle, Obstacle, ObstacleChanges, ObstacleState
from app.schemas.pages import Page
from app.schemas.periods import MissingReport, Period, PeriodStanding
from app.schemas.publications import NewPublication, Publication
from app.schemas.scores import Score, ScoreSheet
from app.schemas.templates import Copies, NewCopies, Template


class Programme(Place):
    """How quick wins are chosen, proven, watched and judged."""

    # Choosing

    @listing
    def candidates(self, /, **filters: Filter) -> Call[Stretch[Candidate]]:
        """What is proposed or shortlisted, by rank; filters are those of `CandidatesQuery`."""
        return pages(self.at("candidates"), Page[Candidate], filters)

    @operation
    def scores(self, initiative: str) -> Call[ScoreSheet]:
        """What everybody gave an initiative, criterion by criterion."""
        return calls.get(self.at("initiatives", initiative, "scores"), ScoreSheet)

    @operation
    def score(
        self, initiative: str, criterion: str, score: int, *, note: str | None = None
    ) -> Call[Score]:
        """Give an initiative your score, or another one than before."""
        path = self.at("initiatives", initiative, "scores", criterion)
        return calls.put(path, Score, {"score": score, "note": note}, None)

    @operation
    def designate(
        self, decree: str, new: NewDesignations | Fields, *, key: str | None = None
    ) -> Call[Designations]:
        """Make many initiatives active by a decree; says what became of each."""
        return calls.post(self.at("decrees", decree, "designations"), Designations, new, key)

    # Templates

    @listing
    def templates(self, /, **filters: Filter) -> Call[Stretch[Template]]:
        """What is wanted in many units."""
        return pages(self.at("templates"), Page[Template], filters)

    @operation
    def copy_template(
        self, template: str, copies: NewCopies | Fields, *, key: str | None = None
    ) -> Call[Copies]:
        """Make a proposed initiative in each of many units; those that are there stay as they are."""
        return calls.post(self.at("templates", template, "copies"), Copies, copies, key)

    # Evidence

    @operation
    def send_file(
        self, file: Path | str, *, name: str | None = None, key: str | None = None
    ) -> Call[File]:
        """Send a document, piece by piece; name its id in the evidence of a report."""
        source = Path(file)
        query = {"name": name or source.name}
        return calls.sending(self.at("files"), File, source, query, key)

    @operation
    def save_file(self, file: File | UUID | str, to: Path | str) -> Call[Path]:
        """Write a document that was sent to a file, which it takes the place of once it is whole."""
        name = str(file.id) if isinstance(file, File) else str(file)
        return calls.saving(self.at("files", name, "content"), Path(to))

    # Reporting periods

    @listing
    def periods(self, /, **filters: Filter) -> Call[Stretch[Period]]:
        """Reporting periods; filters are those of `PeriodsQuery`."""
        return pages(self.at("periods"), Page[Period], filters)

    @operation
    def standing(self, period: str, *, unit: str | None = None) -> Call[PeriodStanding]:
        """How many of a unit, and of each unit directly below, have reported on a period."""
        return calls.get(self.at("periods", period, "standing"), PeriodStanding, {"unit": unit})

    @listing
    def missing(self, /, period: str, **filters: Filter) -> Call[Stretch[MissingReport]]:
        """Who has not reported on a period; filters are those of `MissingQuery`."""
        return pages(self.at("periods", period, "missing"), Page[MissingReport], filters)

    # Obstacles

    @listing
    def obstacles(self, /, **filters: Filter) -> Call[Stretch[Obstacle]]:
        """What holds things up; filters are those of `ObstaclesQuery`."""
        return pages(self.at("obstacles"), Page[Obstacle], filters)

    @operation
    def obstacle(self, obstacle: UUID | str) -> Call[Obstacle]:
        """One obstacle."""
        return calls.get(self.at("obstacles", str(obstacle)), Obstacle)

    @operation
    def open_obstacle(self, new: NewObstacle | Fields, *, key: str | None = None) -> Call[Obstacle]:
        """Say what holds an initiative or a unit up."""
        return calls.post(self.at("obstacles"), Obstacle, new, key)

    @operation
    def change_obstacle(
        self, obstacle: Obstacle | UUID | str, changes: ObstacleChanges | Fields
    ) -> Call[Obstacle]:
        """Change what is said of an obstacle."""
        return calls.patch(self._obstacle(obstacle), Obstacle, changes, _version(obstacle))

    @operation
    def escalate(
        self, obstacle: Obstacle | UUID | str, reason: str, *, to: str | None = None,
        decision_asked: str | None = None, key: str | None = None,
    ) -> Call[Obstacle]:  # fmt: skip
        """Hand an obstacle to the unit above, or to the one named."""
        body = {"to": to, "reason": reason, "decision_asked": decision_asked}
        given = {name: value for name, value in body.items() if value is not None}
        return calls.post(self._obstacle(obstacle, "escalation"), Obstacle, given, key)

    @operation
    def decide(
        self, obstacle: Obstacle | UUID | str, decision: str, *, key: str | None = None
    ) -> Call[Obstacle]:
        """Answer what was asked."""
        body = {"decision": decision}
        return calls.post(self._obstacle(obstacle, "decision"), Obstacle, body, key)

    @operation
    def resolve(self, obstacle: Obstacle | UUID | str, resolution: str) -> Call[Obstacle]:
        """Say that an obstacle is out of the way, and how that came about."""
        changes = {"state": ObstacleState.RESOLVED, "resolution": resolution}
        return calls.patch(self._obstacle(obstacle), Obstacle, changes, _version(obstacle))

    def _obstacle(self, obstacle: Obstacle | UUID | str, *steps: str) -> str:
        name = obstacle.id if isinstance(obstacle, Obstacle) else obstacle
        return self.at("obstacles", str(name), *steps)

    # Indicators and the index

    @listing
    def indicators(self, /, **filters: Filter) -> Call[Stretch[Indicator]]:
        """What is measured; filters are those of `UnitIndicatorQuery`."""
        return pages(self.at("indicators"), Page[Indicator], filters)

    @listing
    def indicator_values(
        self, /, indicator: str, **filters: Filter
    ) -> Call[Stretch[IndicatorValue]]:
        """Targets and actuals of an indicator; filters are those of `ValueQuery`."""
        return pages(self.at("indicators", indicator, "values"), Page[IndicatorValue], filters)

    @operation
    def set_indicator_value(
        self, indicator: str, label: str, value: PeriodValue | Fields, *, version: int | None = None
    ) -> Call[IndicatorValue]:
        """Create the period of this label, or make it what is given."""
        path = self.at("indicators", indicator, "values", label)
        return calls.put(path, IndicatorValue, value, version)

    @listing
    def assessments(self, /, **filters: Filter) -> Call[Stretch[Assessment]]:
        """Scores by year, instrument and assessor; filters are those of `AssessmentQuery`."""
        return pages(self.at("assessments"), Page[Assessment], filters)

    @operation
    def record_assessment(
        self, new: NewAssessment | Fields, *, key: str | None = None
    ) -> Call[Assessment]:
        """Record what an assessor gave the institution for a year."""
        return calls.post(self.at("assessments"), Assessment, new, key)

    # Telling and judging

    @listing
    def publications(self, /, initiative: str, **paging: Filter) -> Call[Stretch[Publication]]:
        """What was told of an initiative."""
        path = self.at("initiatives", initiative, "publications")
        return pages(path, Page[Publication], paging)

    @operation
    def publish(
        self, initiative: str, new: NewPublication | Fields, *, key: str | None = None
    ) -> Call[Publication]:
        """Keep what was told of an initiative."""
        path = self.at("initiatives", initiative, "publications")
        return calls.post(path, Publication, new, key)

    @listing
    def verdicts(self, /, initiative: str, **paging: Filter) -> Call[Stretch[Judgement]]:
        """The closing verdicts that were given on an initiative, the newest first."""
        return pages(self.at("initiatives", initiative, "verdicts"), Page[Judgement], paging)

    @operation
    def give_verdict(
        self, initiative: str, verdict: str, note: str, *, judged_on: Day | None = None,
        decree: str | None = None, url: str | None = None, key: str | None = None,
    ) -> Call[Judgement]:  # fmt: skip
        """Say in the official words what became of an initiative; today, if no day is named."""
        body = {
            "verdict": verdict, "note": note, "judged_on": judged_on, "decree": decree, "url": url,
        }  # fmt: skip
        return calls.post(self.at("initiatives", initiative, "verdicts"), Judgement, body, key)


def _version(obstacle: Obstacle | UUID | str) -> int | None:
    return version_of(obstacle) if isinstance(obstacle, Obstacle) else None
