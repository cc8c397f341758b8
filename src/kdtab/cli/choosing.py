"""Which students a command fits and how one is kept: presets, tuning and limits, beside lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from returns.result import Result, Success

from kdtab.cli.fields import run_fields
from kdtab.cli.variants import Search
from kdtab.config.base import parse_config
from kdtab.config.choice import ChoiceOptions, candidate_variants, fixed_fields, preset_fields
from kdtab.config.presets import PRESET_NAMES, Preset, preset
from kdtab.config.run import DistillRun
from kdtab.config.teachers import TEACHER_KINDS
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import fail

USUAL_PRESET = "standard"
REFITTED_SUFFIX = ".skops"


def with_choice(
    search: Search, config: str | None, teacher: str, *, is_bundle: bool
) -> Result[Search, Issues]:
    """A search with the preset that a command takes, and the students that are chosen from.

    Args:
        search: Of the lists among the flags; with lists nothing else is varied.
        config: A file of fields, or None.
        teacher: The name of a kind, or a path.
        is_bundle: Whether it is a bundle: then only a preset that was asked for is taken.

    Returns:
        The search, its fields those of the preset; or the issues of the file, or `FieldInvalid` for
        a limit beside a list. Fields that are wrong are left to the one who checks them all.

    Example:
        >>> found = with_choice(Search({}, ()), None, "forest", is_bundle=False).unwrap()
        >>> found.fields["numeric_encoding"], [each.changes for each in found.variants]
        ('piecewise_linear', [{}, {'alpha': 0.25}])
        >>> with_choice(Search({}, ()), None, "teacher.kdtab", is_bundle=True).unwrap().fields
        {}
    """
    return run_fields(DistillRun, config, search.flags).bind(
        lambda given: _with_preset(search, given, teacher, is_bundle=is_bundle)
    )


def _with_preset(
    search: Search, given: dict[str, object], teacher: str, *, is_bundle: bool
) -> Result[Search, Issues]:
    asked = {name: given[name] for name in ChoiceOptions.model_fields if name in given}
    parsed = parse_config(ChoiceOptions, asked)
    if not isinstance(parsed, Success):
        return Success(search)
    choice = parsed.unwrap()
    if search.variants and (choice.limited or choice.tune):
        rule = "leaves no place for a list of values, which names the students itself"
        (first, *_) = (name for name in asked if name != "preset")
        return fail(FieldInvalid(name=first, rule=rule, found=str(asked[first])))
    named = choice.preset or (None if is_bundle else USUAL_PRESET)
    chosen = preset(named) if named in PRESET_NAMES else Preset()
    unused = _ineffective(teacher, is_bundle=is_bundle)
    known = replace(search, fields=preset_fields(chosen, given | dict.fromkeys(unused)))
    if search.variants or not _varies(chosen, choice, given):
        return Success(known)
    fixed = (*fixed_fields(given), *unused)
    return Success(
        replace(known, variants=candidate_variants(chosen, choice, fixed=fixed), choice=choice)
    )


def _varies(chosen: Preset, choice: ChoiceOptions, given: Mapping[str, object]) -> bool:
    """Without validation rows the usual student is fitted alone, where no choice was asked for."""
    is_asked = choice.tune or choice.limited
    return is_asked or (bool(chosen.alphas) and given.get("validation_size") not in (0, 0.0))


def _ineffective(teacher: str, *, is_bundle: bool) -> tuple[str, ...]:
    """What a preset says in vain: of how a teacher is fitted that is none to fit, and of new rows.

    A table of scores and a folder of labels repeat what was said of known rows.
    """
    suffix = Path(teacher).suffix
    if teacher in TEACHER_KINDS or suffix == REFITTED_SUFFIX:
        return ()
    return ("labels",) if is_bundle or suffix == ".onnx" else ("labels", "augment")
