"""What can be wrong with a config or an argument, before any file is opened."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class FieldUnknown(IssueValue):
    """A config names a field that does not exist.

    Example:
        >>> explain_config_issue(FieldUnknown(name="temprature", known=("temperature",)))
        "unknown field 'temprature'. Did you mean 'temperature'?"
    """

    name: str
    known: tuple[str, ...]


class FieldInvalid(IssueValue):
    """A field holds a value outside of what it takes; `known` lists a closed set of values.

    Example:
        >>> explain_config_issue(FieldInvalid(name="epochs", rule="must be at least 1", found="0"))
        "epochs must be at least 1, got '0'"
    """

    name: str
    rule: str
    found: str
    known: tuple[str, ...] = ()


class FieldMissing(IssueValue):
    """A field without a default was not given.

    Example:
        >>> explain_config_issue(FieldMissing(name="target_column"))
        'target_column is required'
    """

    name: str


class FieldOfFile(IssueValue):
    """A mistake in a field that only a config file can give.

    Example:
        >>> wrong = FieldUnknown(name="objective.loses", known=("losses",))
        >>> explain_config_issue(FieldOfFile(path="run.toml", field=wrong))
        "config file 'run.toml': unknown field 'objective.loses'. Did you mean 'losses'?"
    """

    path: str
    field: FieldUnknown | FieldInvalid | FieldMissing


class TemperatureOutOfRange(IssueValue):
    """REQ-KD04: the temperature is a finite number above 0.

    Example:
        >>> explain_config_issue(TemperatureOutOfRange(found="0"))
        'temperature must be > 0'
    """

    found: str


class AlphaOutOfRange(IssueValue):
    """REQ-KD05: alpha lies between 0 and 1, both ends allowed.

    Example:
        >>> explain_config_issue(AlphaOutOfRange(found="1.5"))
        'alpha must be between 0 and 1'
    """

    found: str


class TargetExcluded(IssueValue):
    """REQ-KD08, REQ-T03: the target column stands among the excluded columns.

    Example:
        >>> explain_config_issue(TargetExcluded(target="y"))
        'target_column cannot be excluded'
    """

    target: str


class ModeNeedsClassification(IssueValue):
    """REQ-T05: the training mode only exists for classification.

    Example:
        >>> explain_config_issue(ModeNeedsClassification(mode="imbalance_aware", reason="auto"))
        "training_mode 'imbalance_aware' needs a classification task, but the task is regression (auto)"
    """

    mode: str
    reason: str


class DeviceUnusable(IssueValue):
    """The device asked for is not there or has no such name.

    Example:
        >>> explain_config_issue(DeviceUnusable(device="cuda", reason="torch finds no CUDA"))
        "device 'cuda' cannot be used: torch finds no CUDA. Leave device out to take what is there"
    """

    device: str
    reason: str


class ArgumentOfWrongType(IssueValue):
    """An argument of a type that the function does not take.

    Example:
        >>> explain_config_issue(
        ...     ArgumentOfWrongType(name="cfg", expected="a TrainingConfig", found="dict")
        ... )
        "cfg must be a TrainingConfig, got 'dict'"
    """

    name: str
    expected: str
    found: str


class TargetNotGiven(IssueValue):
    """No target column was named, and there is no teacher to ask.

    Example:
        >>> explain_config_issue(TargetNotGiven(table="a.csv", columns=("age", "income")))
        "no target column: name the column to predict with --target, or target_column in a config file. The columns of 'a.csv': 'age', 'income'"
    """

    table: str
    columns: tuple[str, ...]


class DocumentUnreadable(IssueValue):
    """The config file is not there, or the system will not read it.

    Example:
        >>> explain_config_issue(DocumentUnreadable(path="run.toml", reason="there is no such file"))
        "cannot read the config file 'run.toml': there is no such file"
    """

    path: str
    reason: str


class DocumentInvalid(IssueValue):
    """The config file is not the TOML or YAML mapping that it should be; lines count from 1.

    Example:
        >>> explain_config_issue(DocumentInvalid(path="run.yaml", line=3, reason="tags are refused"))
        "config file 'run.yaml', line 3: tags are refused"
    """

    path: str
    line: int | None
    reason: str


class OutputIsInput(IssueValue):
    """The output would replace a file that the same command reads.

    Example:
        >>> explain_config_issue(OutputIsInput(path="a.csv", role="the table"))
        "the output 'a.csv' is also the table, which would be overwritten: choose another name"
    """

    path: str
    role: str


class OutputFormatUnknown(IssueValue):
    """The output's suffix names no format that kdtab writes.

    Example:
        >>> explain_config_issue(OutputFormatUnknown(path="p.xls", known=(".csv", ".parquet")))
        "cannot tell the format of 'p.xls': its name must end in one of '.csv', '.parquet'"
    """

    path: str
    known: tuple[str, ...]


ConfigIssue: TypeAlias = (
    FieldUnknown
    | FieldInvalid
    | FieldMissing
    | FieldOfFile
    | TemperatureOutOfRange
    | AlphaOutOfRange
    | TargetExcluded
    | ModeNeedsClassification
    | DeviceUnusable
    | ArgumentOfWrongType
    | TargetNotGiven
    | DocumentUnreadable
    | DocumentInvalid
    | OutputIsInput
    | OutputFormatUnknown
)


def explain_config_issue(issue: ConfigIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a config or an argument.

    Returns:
        One sentence without a line break; the seeds' texts stand to the letter.

    Example:
        >>> explain_config_issue(FieldMissing(name="target_column"))
        'target_column is required'
    """
    match issue:
        case FieldUnknown(name=name, known=known):
            # Inside of other configs the name says where; what is known are the fields there.
            hint = did_you_mean(name.rpartition(".")[2], known)
            hint = hint or f". Known fields: {listed(known, most=40)}"
            return f"unknown field {quoted(name)}" + ("." + hint if hint[0] == " " else hint)
        case FieldInvalid(name=name, rule=rule, found=found, known=known):
            hint = did_you_mean(found, known)
            return f"{name} {rule}, got {quoted(found)}" + ("." + hint if hint else "")
        case FieldMissing(name=name):
            return f"{name} is required"
        case FieldOfFile(path=path, field=field):
            return f"config file {quoted(path)}: {explain_config_issue(field)}"
        case TemperatureOutOfRange():
            return "temperature must be > 0"
        case AlphaOutOfRange():
            return "alpha must be between 0 and 1"
        case TargetExcluded():
            return "target_column cannot be excluded"
        case ModeNeedsClassification(mode=mode, reason=reason):
            return (
                f"training_mode {quoted(mode)} needs a classification task, "
                f"but the task is regression ({reason})"
            )
        case DeviceUnusable(device=device, reason=reason):
            return (
                f"device {quoted(device)} cannot be used: {reason}. "
                "Leave device out to take what is there"
            )
        case ArgumentOfWrongType(name=name, expected=expected, found=found):
            return f"{name} must be {expected}, got {quoted(found)}"
        case _:
            return _explain_file_issue(issue)


def _explain_file_issue(
    issue: TargetNotGiven
    | DocumentUnreadable
    | DocumentInvalid
    | OutputIsInput
    | OutputFormatUnknown,
) -> str:
    match issue:
        case TargetNotGiven(table=table, columns=columns):
            every = f". The columns of {quoted(table)}: {listed(columns, most=40)}"
            return (
                "no target column: name the column to predict with --target, or target_column in "
                "a config file" + (every if columns else "")
            )
        case DocumentUnreadable(path=path, reason=reason):
            return f"cannot read the config file {quoted(path)}: {reason}"
        case DocumentInvalid(path=path, line=line, reason=reason):
            place = f"config file {quoted(path)}" + (f", line {line}" if line else "")
            return f"{place}: {reason}"
        case OutputIsInput(path=path, role=role):
            return (
                f"the output {quoted(path)} is also {role}, which would be overwritten: "
                "choose another name"
            )
        case OutputFormatUnknown(path=path, known=known):
            return (
                f"cannot tell the format of {quoted(path)}: its name must end in one of "
                f"{listed(known, most=20)}"
            )
        case _:
            assert_never(issue)
