"""The page and the text: well formed, closed to the outside, the same every time."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kdtab.errors.extras import ExtraMissing
from kdtab.errors.issue import Issues
from kdtab.errors.raised import MissingExtraError, raised_as
from kdtab.report.drawing import check_plotting, svg_text
from kdtab.report.plots import draw_figures
from kdtab.report.render import html_report, render_html
from kdtab.report.summary import ModelReport, Summary
from kdtab.report.text import render_text
from kdtab.report.wording import ROLE_NAMES
from report_cases import HOSTILE, class_summary, value_summary

VOID = {"meta", "br", "hr", "img", "link", "input"}
REFERENCES = {"href", "xlink:href", "src", "srcset", "action", "data", "poster", "style"}
CASES = {
    "two classes": class_summary(),
    "five classes, no scratch": class_summary(classes=5, scratch=False),
    "a worse teacher": class_summary(noise=(2.0, 0.4, 0.2)),
    "one row": class_summary(rows=1),
    "hostile names": class_summary(name=HOSTILE),
    "values": value_summary(),
    "huge values": value_summary(unit=1e12),
}
every_case = pytest.mark.parametrize("summary", CASES.values(), ids=CASES)


class Page(HTMLParser):
    """Checks that tags are balanced, and gathers ids, references and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.unbalanced: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.references += [value or "" for name, value in attrs if name in REFERENCES - {"style"}]
        for _, value in attrs:
            self.references += re.findall(r"url\(([^)]*)\)", value or "")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(page: str) -> Page:
    reader = Page()
    reader.feed(page)
    reader.close()
    return reader


@every_case
def test_a_page_is_balanced_and_refers_to_nothing_outside(summary: Summary) -> None:
    page = html_report(summary).unwrap()
    found = parsed(page)
    assert not found.unbalanced
    assert not found.open
    assert not {"script", "link", "iframe", "img", "object", "embed", "base"} & set(found.tags)
    assert all(reference.startswith("#") for reference in found.references)
    assert len(found.ids) == len(set(found.ids))
    assert {reference[1:] for reference in found.references} <= set(found.ids)
    assert not re.search(r"https?:|//|@import|@font-face|data:", page)


@every_case
def test_the_same_numbers_give_the_same_bytes(summary: Summary) -> None:
    assert html_report(summary) == html_report(summary)
    assert render_text(summary) == render_text(summary)


def test_another_process_draws_the_same_bytes() -> None:
    script = (
        "import hashlib\nfrom report_cases import class_summary\n"
        "from kdtab.report.render import html_report\n"
        "print(hashlib.sha256(html_report(class_summary()).unwrap().encode()).hexdigest())"
    )
    tests = Path(__file__).resolve().parent.parent
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=tests,
            env={"PYTHONPATH": str(tests), "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_what_a_user_named_stands_there_as_text_only() -> None:
    page = html_report(class_summary(name=HOSTILE)).unwrap()
    found = parsed(page)
    assert "script" not in found.tags
    assert any("<script>alert(1)</script>" in text for text in found.texts)
    assert "\u202e" not in page
    page.encode("utf-8")


def test_names_that_no_encoding_holds_are_escaped() -> None:
    html_report(class_summary(name="a\ud800b")).unwrap().encode("utf-8")
    render_text(class_summary(name="a\ud800b")).encode("utf-8")


def test_a_page_shows_the_figures_that_its_numbers_allow() -> None:
    names = [drawing.name for drawing in draw_figures(class_summary()).unwrap()]
    assert names == ["loss", "reliability", "agreement", "training", "size", "segments"]
    few = [drawing.name for drawing in draw_figures(value_summary()).unwrap()]
    assert few == ["loss", "reliability", "agreement"]
    assert html_report(class_summary()).unwrap().count("<svg") == len(names)


def test_a_page_without_figures_has_its_tables() -> None:
    page = render_html(class_summary())
    assert "<svg" not in page
    assert page.count("<table") == 7
    titles = re.findall("<h2>(.*?)</h2>", page)
    assert titles == [
        "Quality",
        "Agreement with the teacher",
        "Differences in log loss",
        "Cost",
        "Classes: recall / precision / F1",
        "Segments: accuracy",
        "How it was run",
        "Notes",
    ]


def test_the_users_own_style_of_matplotlib_does_not_enter_and_stays() -> None:
    import matplotlib as mpl

    page = html_report(class_summary()).unwrap()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert html_report(class_summary()).unwrap() == page
        assert mpl.rcParams["font.size"] == 30


def test_text_has_no_control_characters_and_ends_its_lines() -> None:
    text = render_text(class_summary(name=HOSTILE))
    assert text.endswith("\n")
    assert all(line.isprintable() for line in text.split("\n"))
    assert "scratch student" in text


def test_without_matplotlib_a_page_is_an_issue_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kdtab.report.drawing.find_spec", lambda name: None)
    missing = ExtraMissing(extra="report", package="matplotlib")
    assert check_plotting().failure() == Issues((missing,))
    assert html_report(class_summary()).failure() == Issues((missing,))
    assert raised_as(missing) is MissingExtraError
    assert issubclass(MissingExtraError, ImportError)


def test_numbers_are_told_without_loading_matplotlib() -> None:
    script = (
        "import sys\nfrom report_cases import class_summary\n"
        "from kdtab.report.render import render_html\nrender_html(class_summary())\n"
        "print('matplotlib' in sys.modules)"
    )
    tests = Path(__file__).resolve().parent.parent
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tests, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_ids_of_two_figures_differ() -> None:
    first, second = (svg_text(name, (2, 1), lambda axes: None) for name in ("a", "b"))
    assert first != second
    assert first.replace('"a-', '"b-').replace("#a-", "#b-") == second


def test_the_course_of_training_speaks_of_validation_rows_where_there_are_some() -> None:
    with_them = class_summary()
    without = replace(with_them, models=tuple(map(_unvalidated, with_them.models)))
    captions = [_caption(summary) for summary in (with_them, without)]
    assert captions[0].startswith("Solid: hard loss of the validation rows")
    assert captions[1] == (
        "Loss that is trained on; the student’s holds the teacher’s part, so the two are not "
        "comparable."
    )
    alone = replace(with_them, models=without.models[:2])
    assert _caption(alone) == "Loss that is trained on."


def _unvalidated(model: ModelReport) -> ModelReport:
    return replace(model, epochs=tuple(replace(item, validation=None) for item in model.epochs))


def _caption(summary: Summary) -> str:
    drawn = draw_figures(summary).unwrap()
    (found,) = (drawing.caption for drawing in drawn if drawing.name == "training")
    return found


def test_a_model_without_a_name_of_its_own_is_not_named_twice() -> None:
    summary = class_summary()
    plain = tuple(replace(model, name=ROLE_NAMES[model.role]) for model in summary.models)
    named = replace(plain[0], name="forest")
    text = render_text(replace(summary, models=(named, *plain[1:]), facts=()))
    (run,) = re.findall(r"How it was run\n((?:  .*\n)*)", text)
    assert run.split() == ["teacher", "forest"]
