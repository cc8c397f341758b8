"""Which students a command fits and how one is kept: presets, tuning and limits, beside lists."""

from __future__ import annotations

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
MODEL_SUFFIXES = (".onnx", ".skops")


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
    fields = preset_fields(chosen, given)
    if not _speaks_of_new_rows(teacher, is_bundle=is_bundle):
        fields.pop("augment", None)
    return Success(_varied(replace(search, fields=fields), chosen, choice, given))


def _varied(
    search: Search, chosen: Preset, choice: ChoiceOptions, given: dict[str, object]
) -> Search:
    """Without validation rows nothing can be chosen, and the usual student is fitted alone."""
    varies = bool(chosen.alphas) or choice.tune or choice.limited
    if search.variants or not varies or given.get("validation_size") in (0, 0.0):
        return search
    variants = candidate_variants(chosen, choice, fixed=fixed_fields(given))
    return replace(search, variants=variants, choice=choice)


def _speaks_of_new_rows(teacher: str, *, is_bundle: bool) -> bool:
    """A table of scores and a folder of labels repeat what was said of known rows."""
    return is_bundle or teacher in TEACHER_KINDS or Path(teacher).suffix in MODEL_SUFFIXES
