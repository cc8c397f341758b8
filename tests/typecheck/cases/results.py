"""A result is not its value: the type checker asks for both cases."""

from typing import assert_never

import polars as pl
from returns.result import Result

from kdtab import Issues, TrainingConfig, explain, predict_frame, read_table, train_model
from kdtab.errors.base import IssueValue
from kdtab.errors.teachers import TeacherIssue, TeacherMissing
from kdtab.results import Checked, check, collect, either, fail

config = TrainingConfig(target_column="y")

table = read_table("a.csv")
reveal_type(table)  # N: returns.result.Result[polars.dataframe.frame.DataFrame, kdtab.errors.issue.Issues]
table.columns  # E: attr-defined
train_model(table, config)  # E: arg-type

trained = table.bind(lambda frame: train_model(frame, config))
reveal_type(trained.map(lambda model: model.bundle.task))  # N: returns.result.Result[Literal['classification'] | Literal['regression'], kdtab.errors.issue.Issues]
table.bind(lambda frame: frame.height)  # E: return-value

predicted: Result[pl.DataFrame, Issues] = trained.bind(
    lambda model: predict_frame(model.bundle, pl.DataFrame())
)
wrong: Result[int, Issues] = predicted  # E: assignment

rows: int = either(predicted, lambda frame: frame.height, len)
either(predicted, lambda frame: frame.height, lambda issues: issues.message)  # E: attr-defined

all_of_them: Checked[tuple[pl.DataFrame, ...]] = collect([read_table("a.csv"), read_table("b.csv")])
nothing: Checked[None] = check(None, TeacherMissing())
failed: Checked[int] = fail(TeacherMissing())
fail("a text is no issue")  # E: arg-type


class Invented(IssueValue):
    """An issue that is not in the closed union."""


fail(Invented())  # E: arg-type
explain(Invented())  # E: arg-type
TeacherMissing().anything = 1  # E: attr-defined


def sentence(issue: TeacherIssue) -> str:
    match issue:
        case TeacherMissing():
            return "none"
        case _:
            assert_never(issue)  # E: arg-type
