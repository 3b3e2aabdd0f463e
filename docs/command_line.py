"""Writes the reference of the command line from the parsers: `python docs/command_line.py`.

`text()` is the page; a test compares it with the file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parent / "reference" / "command_line.md"

HEAD = """# Command line

<!-- Written by `python docs/command_line.py`: edit the parsers, not this page. -->

The commands and their options, as `--help` tells them. [What is promised](../promises.md#errors) lists the exit codes,
and [Errors](../errors.md) says what to do about messages. [Configuration](configuration.md) lists the keys of `--config`
and `--set`.

With `--json` a command of `cleanup-contracts` writes one JSON object, with these keys:

| key | what |
|---|---|
| `format` | `cleanup-contracts` and the name of the command |
| `version` | of the format; a later version may have more keys, and one that lacks a key or changes its meaning has a higher number |
| `program` | name and version of the program |
| `options` | the options, as given |
| `configuration` | the settings that they come to, or of a report those of its study or landscape, under the names of the keys of `--config`; where a file has `"none"`, null; null where a landscape does not say its own |
| `result` | what the command found, as the docstrings in `contract_wrapper/commands/documents.py` say for each |
"""


def programs() -> list[argparse.ArgumentParser]:
    """Return the parsers of all programs of this package."""
    from contract_tree.cli import build_parser as tree
    from contract_wrapper.cli import build_parser as contracts

    return [contracts(), tree()]


def text() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(part for parser in programs() for part in _program(parser))])


def _program(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## {parser.prog}\n"
    yield f"{_plain(parser.description)}\n"
    yield from _tables(parser)
    for names, command in _commands(parser):
        yield f"### {parser.prog} {names[0]}\n"
        if len(names) > 1:
            yield f"Also `{'`, `'.join(names[1:])}`.\n"
        yield f"{_plain(command.description)}\n"
        yield f"```text\n{_usage(command)}\n```\n"
        yield from _tables(command)
        for below, nested in _commands(command):  # a command with commands of its own
            yield f"#### {command.prog} {below[0]}\n"
            yield f"{_plain(nested.description)}\n"
            yield f"```text\n{_usage(nested)}\n```\n"
            yield from _tables(nested)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[list[str], argparse.ArgumentParser]]:
    """Every command with its names, the alias last; one that has no help line is hidden."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            shown = {choice.dest for choice in action._choices_actions}
            for command in dict.fromkeys(action.choices.values()):
                names = [name for name, other in action.choices.items() if other is command]
                if names[0] in shown:
                    yield names, command


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return [a for a in parser._actions if not isinstance(a, hidden) and a.help is not argparse.SUPPRESS]


def _usage(command: argparse.ArgumentParser) -> str:
    """How the command is called: what must be given, and that there are options."""
    actions = _own(command)
    parts = [_spelled(a) for a in actions if a.required and a.option_strings]
    parts += ["[options]"] if any(not a.required for a in actions) else []
    parts += [_value(a) if a.required else f"[{_value(a)}]" for a in actions if not a.option_strings]
    return " ".join([command.prog, *parts])


def _tables(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Tables of arguments and options, one for each group that has a title of its own."""
    own = _own(parser)
    usual = {parser._optionals, parser._positionals}
    plain = [a for group in parser._action_groups if group in usual for a in group._group_actions if a in own]
    plain.sort(key=own.index)
    titled = [(g.title, [a for a in g._group_actions if a in own]) for g in parser._action_groups if g not in usual]
    for title, actions in [(None, plain), *titled]:
        if actions:
            rows = [f"| {_cell(parser, a)} | {_plain(_help(parser, a))} |" for a in actions]
            yield "\n".join([*([f"{title}:\n"] if title else []), "| option | meaning |", "|---|---|", *rows]) + "\n"


def _cell(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    names = [f"`{name}`" for name in action.option_strings[:-1]]
    return ", ".join([*names, f"`{_spelled(action)}`".replace("|", "\\|")])


def _spelled(action: argparse.Action) -> str:
    value = _value(action)
    return f"{action.option_strings[-1]} {value}".rstrip() if action.option_strings else value


def _value(action: argparse.Action) -> str:
    """Return what stands after an option, as `--help` writes it."""
    if action.nargs == 0:
        return ""
    names = action.metavar
    if names is None and action.choices is not None:
        names = "{" + ",".join(map(str, action.choices)) + "}"
    if names is None:
        names = action.dest.upper() if action.option_strings else action.dest
    name = names if isinstance(names, str) else " ".join(names)
    many = {"+": f"{name} ...", "*": f"[{name} ...]", "?": f"[{name}]"}
    if isinstance(action.nargs, int) and isinstance(names, str):
        return " ".join([name] * action.nargs)
    return many.get(str(action.nargs), name)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    told = parser._get_formatter()._expand_help(action) if action.help else ""
    return f"{told} (required)" if action.required and action.option_strings else told


def _plain(words: str | None) -> str:
    """Return words that Markdown shows as they are."""
    line = " ".join((words or "").split())
    for special in ("\\", "|", "*", "_", "<", "["):
        line = line.replace(special, f"\\{special}")
    return line


if __name__ == "__main__":
    PAGE.write_text(text())
    print(PAGE)
