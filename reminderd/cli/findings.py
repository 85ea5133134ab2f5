"""How findings reach people and scripts; a problem makes the exit code 1."""

from collections.abc import Iterable

import click
from click.exceptions import Exit

from reminderd.cli.output import emit
from reminderd.findings import Finding, Level

_MARKS = {Level.FINE: ("✓", "green"), Level.NOTE: ("!", "yellow"), Level.PROBLEM: ("✗", "red")}


def report(findings: Iterable[Finding], *, as_json: bool) -> None:
    """Print each finding as it is made, problems with what to do; ends with exit code 1 or 0."""
    made = []
    for finding in findings:
        made.append(finding)
        if not as_json:
            _print(finding)
    problems = sum(each.level is Level.PROBLEM for each in made)
    if as_json:
        emit({"findings": [each._asdict() for each in made]})
    elif problems:
        click.echo(f"\n{problems} problem{'s' if problems > 1 else ''}.")
    if problems:
        raise Exit(1)


def _print(finding: Finding) -> None:
    mark, colour = _MARKS[finding.level]
    click.echo(f"{click.style(mark, fg=colour)} {finding.subject}: {finding.message}")
    if finding.remedy and finding.level is not Level.FINE:
        click.echo(f"    {finding.remedy}")
