"""Accounts for every event and notification of a run: `answerbook notify audit`.

    from answerbook.notify import audit
    report = audit.run(settings, run_id, ledger, emulator_record)
    assert report.balanced, report.summary

What the rules are stands in balance.py.
"""

from answerbook.notify.audit.account import run
from answerbook.notify.audit.report import Report
from answerbook.notify.audit.rules import FcmCounts
from answerbook.notify.audit.sources import CannotAudit

__all__ = ["CannotAudit", "FcmCounts", "Report", "run"]
