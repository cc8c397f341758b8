"""The reference of the public names, written from their docstrings.

python tests/reference.py            write docs/reference/api.md
python tests/reference.py --check    fail where the page is not current
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import kdtab

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "api.md"
HEADING = re.compile(r"^(Args|Attributes|Returns|Raises|Yields|Examples?):$", re.MULTILINE)
ENTRY = re.compile(r"^(?P<name>\*{0,2}[\w.]+): ", re.MULTILINE)
WIDTH = 96
LONGEST_DEFAULT = 64
STARS = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}

INTRODUCTION = """\
# Public names

Generated from the docstrings: `make docs` writes it again. Every example is run by the tests. The names
stand in `kdtab` itself; those of the file-level functions in `kdtab.trainer` too. `Checked[X]` is
`Result[X, Issues]` of the `returns` library.
"""


def public_objects() -> Iterator[tuple[str, Callable[..., object]]]:
    """The functions and classes of the facade, by name; type aliases have no page."""
    for name in sorted(kdtab.__all__, key=str.lower):
        value = getattr(kdtab, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield name, value


def render() -> str:
    """The whole page."""
    parts = [entry(name, value) for name, value in public_objects()]
    return "\n".join([INTRODUCTION, *parts])


def entry(name: str, value: Callable[..., object]) -> str:
    """One name: its signature, its docstring, and for a class its members in one line each."""
    lines = [f"## {name}", "", "```text", signature(name, value), "```", ""]
    lines += [docstring(inspect.getdoc(value) or ""), ""]
    if inspect.isclass(value):
        lines += [*members(value)]
    return "\n".join(lines)


def signature(name: str, value: Callable[..., object]) -> str:
    """The call as it is written, one parameter a line where one line is too short.

    Example:
        >>> def shift(x: int, by: int = 1) -> int: ...
        >>> signature("shift", shift)
        'shift(x: int, by: int = 1) -> int'
    """
    found = inspect.signature(value)
    parts = list(rules(found, inspect.get_annotations(value)))
    outcome = "" if inspect.isclass(value) else f" -> {found.return_annotation}"
    line = f"{name}({', '.join(parts)}){outcome}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){outcome}"])


def rules(found: inspect.Signature, written: dict[str, object]) -> Iterator[str]:
    """Each parameter as it is written, and a bare star before the first given by name only."""
    starred = False
    for rule in found.parameters.values():
        if rule.kind is rule.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or rule.kind in {rule.KEYWORD_ONLY, rule.VAR_POSITIONAL}
        stars = STARS.get(rule.kind.name, "")
        default = "" if rule.default is rule.empty else f" = {shortened(repr(rule.default))}"
        yield f"{stars}{rule.name}: {written.get(rule.name, rule.annotation)}{default}"


def shortened(text: str) -> str:
    """A default that can be read: no address in memory, and no inside of a long call.

    Example:
        >>> shortened("<kdtab.shell.progress._Silent object at 0x7fbe94a18b50>")
        'Silent()'
        >>> shortened("Provenance(" + "x=None, " * 10 + ")")
        'Provenance(...)'
    """
    text = re.sub(r"<(?:\w+\.)*_?(\w+) object at 0x\w+>", r"\1()", text)
    return text if len(text) <= LONGEST_DEFAULT else re.sub(r"^(\w*)\(.*\)$", r"\1(...)", text)


def docstring(text: str) -> str:
    """A Google-style docstring as Markdown.

    Example:
        >>> print(docstring("Double it.\\n\\nArgs:\\n    x: A number.\\n\\nReturns:\\n    2x."))
        Double it.
        <BLANKLINE>
        **Args**
        <BLANKLINE>
        - `x`: A number.
        <BLANKLINE>
        **Returns**
        <BLANKLINE>
        2x.
    """
    opening, *rest = HEADING.split(text)
    parts = [opening.strip()]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts += [f"**{title}**", section(title, dedent(body.strip("\n")).strip())]
    return "\n\n".join(parts)


def section(title: str, body: str) -> str:
    """The body of one section: a list, an example, or a paragraph."""
    if title.startswith("Example"):
        return f"```pycon\n{body}\n```"
    if title in {"Args", "Attributes", "Raises"}:
        return ENTRY.sub(lambda found: f"- `{found['name']}`: ", body)
    return body


def members(owner: type[object]) -> Iterator[str]:
    """The public methods and properties of a class that it defines itself."""
    for name, value in vars(owner).items():
        documented = inspect.isfunction(value) or isinstance(value, property | classmethod)
        if not name.startswith("_") and documented and value.__doc__:
            call = "" if isinstance(value, property) else "()"
            yield f"- `.{name}{call}`: {value.__doc__.splitlines()[0]}"
    yield ""


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current."""
    page = render()
    if arguments != ["--check"]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text("utf-8") == page:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not current: run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
