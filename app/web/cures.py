"""What to do about an error, by its code; and what the codes of places in a request mean."""

from app.languages import noted

CURES = {
    "malformed_body": noted(
        "Send one JSON document in UTF-8, with every key once. Let a JSON library write it instead of joining text."
    ),
    "malformed_request": noted(
        "Look at what lies between you and the service: a proxy or a hand-written client sent something that is not HTTP."
    ),
    "unauthorized": noted(
        "Send the header Authorization: Bearer with your token, whole and without quotes. If it was revoked or has expired, ask whoever administers your unit for another; in a browser, sign in again."
    ),
    "cross_site": noted(
        "Open the page of this service and send the form from there. Programs send their token in the Authorization header instead of a cookie."
    ),
    "forbidden": noted(
        "See with GET /api/v1/me what your token may do. Ask whoever administers the unit for the role that this takes, or use a token without narrower scopes."
    ),
    "judged_meanwhile": noted(
        "Open the report again, see what was found, and judge it anew if you find otherwise."
    ),
    "other_report": noted(
        "Look at the report that was taken; open the form anew to send another one."
    ),
    "own_initiative": noted("Let somebody else who verifies give the verdict."),
    "own_report": noted(
        "Let somebody else verify this report: another person with the role of a verifier on the unit."
    ),
    "secure_only": noted(
        "Use the address that begins with https. On the server's own machine, use localhost."
    ),
    "not_found": noted(
        "Check the code or id in the address, and that your token may see it: what you may not see is answered as if it were not there. What was deleted is listed under deletions."
    ),
    "method_not_allowed": noted(
        "Use one of the methods in the Allow header; the document at /docs says what each does."
    ),
    "request_timeout": noted(
        "Send the request again, whole. On a slow line, send smaller batches and files."
    ),
    "already_dependent": noted(
        "Nothing to do if the lag is right. To change the lag, delete the dependency and add it again."
    ),
    "already_granted": noted("Nothing to do: the person has the role."),
    "already_restored": noted(
        "Read the record: it is there. If it was deleted since, restore the newest deletion."
    ),
    "already_resubmitted": noted(
        "Read the milestone's reports and answer the newest one that was returned."
    ),
    "already_superseded": noted(
        "Read the initiative's frozen reports and supersede the newest one."
    ),
    "answer_sealed": noted(
        "Use the secret that the first answer showed. If it is lost, revoke what was made and make another under a new Idempotency-Key."
    ),
    "code_taken": noted(
        "Choose another code. If yours was an attempt to send the same again, read what is there under this code."
    ),
    "completion_unproven": noted(
        "Report 100% with a document of a kind that the institution's policy lists, then complete the initiative."
    ),
    "conflict": noted(
        "Read the resource again; its state has changed, or never allowed this. The detail says what stands in the way."
    ),
    "dependency_cycle": noted("Read the dependencies of both and remove the one that leads back."),
    "import_finished": noted("Send a new import, or change what was written by its own address."),
    "in_use": noted(
        "Change or delete what refers to this first. What has a past is retired or archived rather than deleted."
    ),
    "missing_reference": noted("Restore what the detail names first, then this."),
    "not_rateable": noted(
        "Judge what is still under way: initiatives that are not cancelled, units that are not archived, candidates that are not decided, by criteria that are not retired."
    ),
    "not_reportable": noted(
        "Bring a dropped milestone back before you report on it; a cancelled initiative takes no reports any more."
    ),
    "not_closed": noted(
        "Complete or cancel the initiative first; a closing verdict is about how it ended."
    ),
    "nothing_planned": noted("Add a milestone, then agree on the plan."),
    "number_taken": noted(
        "Leave the number out, so that the next free one is taken, or choose another."
    ),
    "period_locked": noted(
        "Report for a day after the closed period. If the day is right, ask whoever administers the institution to reopen the period."
    ),
    "periods_overlap": noted(
        "Read the periods that are there, and choose days that none of them has."
    ),
    "root_unit": noted("Do this to a unit below it, or change the institution itself."),
    "status_conflict": noted(
        "Read the present status; the life cycle in the README says what may follow it."
    ),
    "subject_taken": noted("Take the subject away from the other person first, or correct it."),
    "token_ended": noted("Make a new token."),
    "too_many_waiting": noted(
        "Name the files that wait as evidence in reports, or wait: files that nothing names go after a day."
    ),
    "unit_archived": noted("Restore the unit, or choose one that works."),
    "unit_cycle": noted("Choose a unit that is not below this one."),
    "unit_merged": noted("Work with the unit that it was merged into."),
    "stale_version": noted(
        "Read the resource again, look at what changed, and send your change with the new ETag in If-Match."
    ),
    "file_too_large": noted(
        "Make the file smaller, or split it; scan documents at a lower resolution."
    ),
    "too_large": noted("Send less at a time: batches of fewer reports."),
    "address_too_long": noted(
        "Ask with fewer or shorter parameters, in several requests if need be."
    ),
    "unsupported_media_type": noted(
        "Set Content-Type to application/json and send UTF-8. For a file, name the file's own type."
    ),
    "range_not_satisfiable": noted(
        "Ask for a part that lies within the file; its length stands in Content-Range."
    ),
    "archive_refused": noted(
        "Export the archive again and send it untouched, to a release that is not older than the one that wrote it."
    ),
    "evidence_owed": noted(
        "Upload a document of a kind that the policy lists, and name it as evidence in the report."
    ),
    "file_refused": noted(
        "Send a PDF, an image (PNG, JPEG) or an office document without macros, with the suffix that fits it."
    ),
    "has_macros": noted(
        "Save the document without macros (.docx, .xlsx, .pptx), or print it to a PDF."
    ),
    "idempotency_key_reused": noted(
        "Give each new request a key of its own, such as a UUID; send the same request under its old key only."
    ),
    "infected": noted(
        "Do not open the file. Clean the machine that it comes from, and send a clean copy."
    ),
    "invalid": noted(
        "Go through errors: each says the place by pointer or parameter, what is wrong by its code, and how by its detail. Mend all, and send it again."
    ),
    "too_many_rows": noted(
        "Filter the list, by year or unit for instance, or take it as CSV or JSON Lines."
    ),
    "version_required": noted(
        "Read the resource and send its ETag in If-Match, so that you overwrite nobody's change unseen."
    ),
    "rate_limited": noted(
        "Wait as many seconds as Retry-After says, then go on. Send reports in batches, and read with If-None-Match."
    ),
    "head_too_large": noted(
        "Send fewer or shorter header fields; in a browser, delete the cookies of this site."
    ),
    "internal_error": noted(
        "Send it once more. If it fails again, tell whoever runs the service the instance and request_id of the answer: the log has the cause under them."
    ),
    "schema_behind": noted(
        "Whoever runs the service runs quickwin db upgrade as the owner of the tables."
    ),
    "database_unavailable": noted(
        "Send the same again after as many seconds as Retry-After says; a POST with its Idempotency-Key."
    ),
    "files_unavailable": noted(
        "Send the same again after as many seconds as Retry-After says. If it lasts, whoever runs the service looks at the storage."
    ),
    "issuer_unavailable": noted(
        "Try again after as many seconds as Retry-After says. Tokens that begin with qw_ need no issuer."
    ),
    "outcome_unknown": noted(
        "Send the same again with its Idempotency-Key or external_id: it is done once. Without either, read first whether it is there."
    ),
    "scanner_unavailable": noted(
        "Send the file again after as many seconds as Retry-After says. If it lasts, whoever runs the service looks at the scanner."
    ),
    "schema_ahead": noted(
        "Whoever runs the service installs the release that the schema was made for, or one after it."
    ),
    "schema_locked": noted(
        "Whoever runs the service waits for the session that the message names, or ends it, and runs quickwin db upgrade again."
    ),
    "schema_outdated": noted("Whoever runs the service runs quickwin db upgrade."),
    "storage_full": noted(
        "Reading goes on. Whoever runs the service makes room for the database; then send the same again."
    ),
    "timeout": noted(
        "Ask for less at a time: a smaller limit, a shorter range, a smaller batch. Then send it again."
    ),
    "too_many_streams": noted(
        "Connect again after as many seconds as Retry-After says, with Last-Event-ID; or read events in pages."
    ),
}
"""One for each `code` of `QuickwinError` and its subclasses."""
PLACES = (
    ("missing", noted("A field that is owed is not there.")),
    (
        "extra_forbidden, unknown_parameter",
        noted("There is no such field or parameter here; look for a slip of the pen."),
    ),
    (
        "*_type, *_parsing",
        noted(
            "The value is of another kind: text where a number is wanted, or a date in another form. Dates are YYYY-MM-DD."
        ),
    ),
    (
        "string_too_short, string_too_long, too_short, too_long",
        noted("A text or a list is shorter or longer than it may be."),
    ),
    (
        "string_pattern_mismatch",
        noted(
            "The text has a form that is not taken; codes are letters, digits, dots and hyphens."
        ),
    ),
    (
        "greater_than_equal, less_than_equal, …",
        noted("A number is outside its range; percents go from 0 to 100."),
    ),
    (
        "enum, literal_error",
        noted("The word is none of those in the document; they are spelled in lower case."),
    ),
    (
        "unknown_*",
        noted(
            "You refer to something that is not there, or that you may not see: unknown_unit, unknown_person, unknown_area."
        ),
    ),
    (
        "*_owed",
        noted("The state that you ask for owes this too: a reason, a number, a note, a decree."),
    ),
    ("repeated_*, duplicate_key", noted("This is there twice, and may be there once.")),
    (
        "in_future, in_past, *_before_*, *_after_*, *_order",
        noted("Days do not fit together, or lie where they may not lie."),
    ),
    ("bad_cursor", noted("The cursor is of another list or was altered; begin without one.")),
    ("value_error", noted("A rule about several fields together; the detail says which.")),
)
"""Codes in `errors`, by their kinds: there are some hundreds, whose `detail` says more."""
