"""Lists in flags: one student for each combination of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import final

from returns.result import Success

from kdtab.config.base import parse_config
from kdtab.config.choice import ChoiceOptions
from kdtab.config.variants import VARIED, StudentVariant
from kdtab.results import Checked, collect

USUAL_VALIDATION = 0.15
"""The share of the rows that chooses the best of many where nobody says another."""


@final
@dataclass(frozen=True)
class Search:
    """The students that flags ask for.

    Attributes:
        flags: All other flags.
        variants: None of them where one student is wanted.
        fields: What a preset says where neither a flag nor a file does.
        choice: How one is kept; None: the smallest validation loss.

    Example:
        >>> Search({}, ()).defaults({"validation_size": 0.0})
        {'validation_size': 0.0}
    """

    flags: Mapping[str, object]
    variants: tuple[StudentVariant, ...]
    fields: Mapping[str, object] = field(default_factory=dict)
    choice: ChoiceOptions | None = None

    def defaults(self, fields: Mapping[str, object]) -> dict[str, object]:
        """What fields are without a flag or a line of a file: validation rows among them.

        Args:
            fields: The defaults of a command for one student.

        Returns:
            The same over those of the preset, for many students with a share of validation rows.

        Example:
            >>> Search({}, (StudentVariant(alpha=0.3),)).defaults({"validation_size": 0.0})
            {'validation_size': 0.15}
        """
        known = {name: value for name, value in fields.items() if value or name not in self.fields}
        every = {**self.fields, **known}
        if not self.variants or every.get("validation_size"):
            return every
        return {**every, "validation_size": USUAL_VALIDATION}


def asked_search(flags: Mapping[str, object]) -> Checked[Search]:
    """The lists among flags, as students.

    Args:
        flags: Texts by field name; a comma makes a list of alpha, temperature, learning rate and
            seed, and of nothing else.

    Returns:
        Every combination of the values, or `FieldInvalid` and the like for each that is none.

    Example:
        >>> found = asked_search({"alpha": ".3,.7", "temperature": "1,4", "epochs": "3"}).unwrap()
        >>> [each.changes["temperature"] for each in found.variants], found.flags
        ([1.0, 4.0, 1.0, 4.0], {'epochs': '3'})
    """
    lists = {
        name: [_number(text) for text in given.split(",")]
        for name in VARIED
        if isinstance(given := flags.get(name), str) and "," in given
    }
    if not lists:
        return Success(Search(flags, ()))
    others = {name: value for name, value in flags.items() if name not in lists}
    singles = [parse_config(StudentVariant, {name: v}) for name in lists for v in lists[name]]
    return collect(singles).bind(
        lambda _: collect(
            [
                parse_config(StudentVariant, dict(zip(lists, values, strict=True)))
                for values in dict.fromkeys(product(*lists.values()))
            ]
        ).map(lambda variants: Search(others, variants))
    )


def _number(text: str) -> object:
    """As a flag alone would be read; a text that is no number is refused by the config."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
