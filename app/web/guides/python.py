"""What a script does with Quickwin."""

#: token
import os
from datetime import date

from app.client import Failure, NotFound, Quickwin

quickwin = Quickwin(os.environ["QUICKWIN_SERVER"], os.environ["QUICKWIN_TOKEN"], "kpu")
print(quickwin.me().actor)
#: report
update = quickwin.report(
    "QW-2022-014", 3, 60, effective_on="2022-11-15", note="Modul B selesai", key="python-2022-11-15"
)
print(update.percent_complete, update.verification)
#: batch
reports = [
    {
        "initiative": "QW-2022-014", "milestone": number, "percent_complete": percent,
        "effective_on": date(2022, 11, 20), "source": "sakti", "external_id": f"2022/{number}",
    }
    for number, percent in ((3, 65), (99, 10))
]  # fmt: skip
for outcome in quickwin.report_all(reports):
    print(outcome.index, outcome.status, outcome.problem.code if outcome.problem else "there")
#: read
west_java = quickwin.rollup("32", as_of="2022-11-30")
print(west_java.percent_complete, west_java.health)
#: follow
for event in quickwin.events(after=0, type="update.reported"):
    print(event.sequence, event.subject)
    break
#: errors
try:
    quickwin.rollup("nowhere")
except NotFound as refused:
    print(refused.code)
except Failure as failure:
    raise SystemExit(f"failed: {failure}") from failure
quickwin.close()
