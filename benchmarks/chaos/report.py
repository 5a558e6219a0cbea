"""Text of a report."""

from benchmarks.chaos.run import Report
from benchmarks.report import table

__all__ = ["report_text"]


def report_text(report: Report) -> str:
    """Return the figures of a run as a table, and what is wrong."""
    options, verdict, kills = report.options, report.verdict, sum(report.kills.values())
    rows = [
        ["questions (edited)", f"{report.questions} ({report.edits})"],
        ["kills", f"{kills}: " + ", ".join(f"{moment} {count}" for moment, count in sorted(report.kills.items()))],
        ["faults of Telegram", ", ".join(f"{kind} {count}" for kind, count in sorted(report.faults.items()))],
        ["messages left without a response by a fault", str(report.unknown)],
        ["lost", str(len(verdict.lost))],
        ["repeated without a mark", str(len(verdict.repeated))],
        ["repeated with a mark", str(len(verdict.marked))],
        ["out of order", str(len(verdict.disorder))],
        ["given up", str(verdict.given_up)],
        ["asked whether an answer has arrived", f"{verdict.asked} ({verdict.asked / max(1, kills):.3f} per kill)"],
        ["placeholders left behind", str(verdict.placeholders)],
        ["provider calls per question", f"{report.calls / max(1, report.questions + report.edits):.2f}"],
        ["answered without their file", str(report.without_file)],
        *_tools(report),
        ["calls above Telegram's rates", str(report.violations)],
        ["`sending` per message, ms (median, longest)", _sending(report)],
        ["messages `sending` at a kill", str(report.sending.open_at_kill)],
        *_replicas(report),
        ["exit code of the last shutdown", str(report.exit_code)],
    ]
    mode = ("aimed" if options.aimed else "any time", "paced" if options.paced else "not paced")
    more = ", with a webhook" if options.webhook else ""
    more += f", {options.replicas} replicas on PostgreSQL" if options.replicas else ""
    head = f"seed {options.seed}, {options.chats} chats, kills at {mode[0]}, {mode[1]}{more}, {report.seconds:.0f} s"
    wrong = [f"{name}: {each}" for name in ("lost", "repeated", "disorder") for each in getattr(verdict, name)]
    wrong += [f"{name}: {each}" for name in ("twice", "undone") for each in getattr(report.effects, name)]
    return "\n".join([head, "", table(["figure", "value"], rows), *([""] if wrong else []), *wrong])


def _replicas(report: Report) -> list[list[str]]:
    if not report.options.replicas:
        return []
    return [
        ["updates", report.updates],
        ["replicas that ended by themselves (exit codes)", ", ".join(map(str, report.exits)) or "none"],
    ]


def _tools(report: Report) -> list[list[str]]:
    if not report.options.habits.tools:
        return []
    effects = report.effects
    return [
        ["calls of tools (approved)", f"{effects.calls} ({report.cards})"],
        ["calls made twice that must not be", str(len(effects.twice))],
        ["calls without an effect that passed for done", str(len(effects.undone))],
        ["results other than that of the tool, such as unknown", str(effects.unknown)],
        ["requests without the tool of the question", str(report.without_tool)],
    ]


def _sending(report: Report) -> str:
    sending = report.sending
    return f"{sending.mean_ms:.1f} ({sending.median_ms:.1f}, {sending.longest_ms:.0f}), {sending.rows} messages"
