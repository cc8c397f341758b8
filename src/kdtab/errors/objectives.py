"""What can be wrong with an objective: a loss that cannot teach here, weights that do not fit."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class LossNeedsMoreClasses(IssueValue):
    """A loss that teaches nothing with so few classes.

    Example:
        >>> explain_objective_issue(LossNeedsMoreClasses(loss="decoupled_kl", classes=2, least=3))
        'decoupled_kl needs at least 3 classes, the target has 2: with fewer it teaches nothing. Use forward_kl, which is the same loss where two classes are told apart'
    """

    loss: str
    classes: int
    least: int


class LossNeedsTask(IssueValue):
    """A loss of the other task.

    Example:
        >>> explain_objective_issue(
        ...     LossNeedsTask(loss="huber", needs="regression", task="classification", known=("forward_kl",))
        ... )
        "huber is a loss of regression, the task is classification. Losses of classification: 'forward_kl'"
    """

    loss: str
    needs: str
    task: str
    known: tuple[str, ...]


class LossOverBatchAccumulated(IssueValue):
    """A loss of a whole batch, where a step is put together from parts of one.

    Example:
        >>> explain_objective_issue(LossOverBatchAccumulated(loss="dist_over_batch", accumulation=4))
        'dist_over_batch compares all rows of a step with each other, so a step cannot be accumulated from 4 parts. Use an accumulation of 1, or a loss of single rows'
    """

    loss: str
    accumulation: int


class WeightInvalid(IssueValue):
    """A weight, scale or number of an objective outside of what it takes.

    Example:
        >>> explain_objective_issue(WeightInvalid(name="weights[1]", rule="must be at most 1", found="2.0"))
        "weights[1] must be at most 1, got '2.0'"
    """

    name: str
    rule: str
    found: str


class WeightsOverOne(IssueValue):
    """Static weights whose sum leaves less than nothing for the student's own loss.

    Example:
        >>> explain_objective_issue(WeightsOverOne(weights=(0.7, 0.5)))
        "the weights of the distillation losses must sum to at most 1, since the student's own loss gets the rest: '0.7', '0.5'"
    """

    weights: tuple[float, ...]


class StudentLossMissing(IssueValue):
    """Weights that leave a share for the student's own loss, and no such loss.

    Example:
        >>> explain_objective_issue(StudentLossMissing(weights=(0.25,)))
        "the weights '0.25' sum to less than 1 and the rest belongs to the student's own loss, which is not given: give it, or weights that sum to 1"
    """

    weights: tuple[float, ...]


class WeightCountDiffers(IssueValue):
    """Another number of weights than of losses.

    Example:
        >>> explain_objective_issue(WeightCountDiffers(weights=2, terms=("soft",)))
        "each distillation loss needs one weight: 2 weights for 1 losses ('soft')"
    """

    weights: int
    terms: tuple[str, ...]


class WeightNameUnknown(IssueValue):
    """A weight for a loss that does not exist.

    Example:
        >>> explain_objective_issue(WeightNameUnknown(name="sofd", known=("soft", "hint")))
        "no distillation loss is named 'sofd'. Did you mean 'soft'? The losses: 'soft', 'hint'"
    """

    name: str
    known: tuple[str, ...]


class WeightNameMissing(IssueValue):
    """A loss without a weight.

    Example:
        >>> explain_objective_issue(WeightNameMissing(name="hint", known=("soft",)))
        "the loss 'hint' has no weight; there are weights for 'soft'"
    """

    name: str
    known: tuple[str, ...]


class WeightRepeated(IssueValue):
    """Two weights for one loss.

    Example:
        >>> explain_objective_issue(WeightRepeated(name="soft"))
        "the loss 'soft' has more than one weight"
    """

    name: str


class LayersNeedBundle(IssueValue):
    """Pairs of layers, and a teacher whose layers nobody can look at.

    Example:
        >>> explain_objective_issue(LayersNeedBundle(teacher="forest"))
        "layers of a student can be compared with those of a kdtab bundle alone, which takes the same inputs as the student; of 'forest' only the outputs are known: leave layers out, or take a bundle as the teacher"
    """

    teacher: str


class LayersOfEnsemble(IssueValue):
    """Pairs of layers where a layer gives the units of many members at once.

    Example:
        >>> explain_objective_issue(LayersOfEnsemble(side="student"))
        'the student is a batch_ensemble, whose layers hold the units of all its members: they cannot be compared with those of another network. Leave layers out, or take another training_mode'
    """

    side: str


ObjectiveIssue: TypeAlias = (
    LossNeedsMoreClasses
    | LayersOfEnsemble
    | LayersNeedBundle
    | LossNeedsTask
    | LossOverBatchAccumulated
    | WeightInvalid
    | WeightsOverOne
    | StudentLossMissing
    | WeightCountDiffers
    | WeightNameUnknown
    | WeightNameMissing
    | WeightRepeated
)


def explain_objective_issue(issue: ObjectiveIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of an objective.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_objective_issue(WeightRepeated(name="soft"))
        "the loss 'soft' has more than one weight"
    """
    match issue:
        case LossNeedsMoreClasses(loss=loss, classes=classes, least=least):
            return (
                f"{loss} needs at least {least} classes, the target has {classes}: with fewer it "
                "teaches nothing. Use forward_kl, which is the same loss where two classes are "
                "told apart"
            )
        case LossNeedsTask(loss=loss, needs=needs, task=task, known=known):
            return (
                f"{loss} is a loss of {needs}, the task is {task}. "
                f"Losses of {task}: {listed(known, most=len(known))}"
            )
        case LossOverBatchAccumulated(loss=loss, accumulation=accumulation):
            return (
                f"{loss} compares all rows of a step with each other, so a step cannot be "
                f"accumulated from {accumulation} parts. Use an accumulation of 1, or a loss of "
                "single rows"
            )
        case LayersNeedBundle(teacher=teacher):
            return (
                "layers of a student can be compared with those of a kdtab bundle alone, which "
                f"takes the same inputs as the student; of {quoted(teacher)} only the outputs are "
                "known: leave layers out, or take a bundle as the teacher"
            )
        case LayersOfEnsemble(side=side):
            return (
                f"the {side} is a batch_ensemble, whose layers hold the units of all its members: "
                "they cannot be compared with those of another network. Leave layers out, or take "
                "another training_mode"
            )
        case WeightInvalid(name=name, rule=rule, found=found):
            return f"{name} {rule}, got {quoted(found)}"
        case _:
            return _explain_weights(issue)


def _explain_weights(
    issue: WeightsOverOne
    | StudentLossMissing
    | WeightCountDiffers
    | WeightNameUnknown
    | WeightNameMissing
    | WeightRepeated,
) -> str:
    match issue:
        case WeightsOverOne(weights=weights):
            return (
                "the weights of the distillation losses must sum to at most 1, since the "
                f"student's own loss gets the rest: {listed(map(str, weights))}"
            )
        case StudentLossMissing(weights=weights):
            return (
                f"the weights {listed(map(str, weights))} sum to less than 1 and the rest belongs "
                "to the student's own loss, which is not given: give it, or weights that sum to 1"
            )
        case WeightCountDiffers(weights=weights, terms=terms):
            return (
                f"each distillation loss needs one weight: {weights} weights for {len(terms)} "
                f"losses ({listed(terms)})"
            )
        case WeightNameUnknown(name=name, known=known):
            hint = did_you_mean(name, known)
            return (
                f"no distillation loss is named {quoted(name)}.{hint} The losses: {listed(known)}"
            )
        case WeightNameMissing(name=name, known=known):
            return f"the loss {quoted(name)} has no weight; there are weights for {listed(known)}"
        case WeightRepeated(name=name):
            return f"the loss {quoted(name)} has more than one weight"
        case _:
            assert_never(issue)
