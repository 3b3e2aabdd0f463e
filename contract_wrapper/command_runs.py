"""The commands that began and continued a result, as plain values that are kept beside it.

Passwords are left out before anything is stored: of URLs, and of what is named a password, secret, token or key.
"""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contract_wrapper.errors import ContractsError, shown

HIDDEN = "***"
"""What stands in place of a password."""

LIBRARY = "a call of the library from Python, which has no command"
"""What is said of a result, or a part of one, that no command made."""

UNKNOWN = "the commands that made it are not known: it was made before they were kept"
"""What is said of a result that says nothing of them."""

MOST_SHOWN = 8
"""Commands that are printed: the first and the latest; all are in the files."""

_LONGEST = 100_000
_SECRET = r"[\w-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?)[\w-]*"
_USER_AND_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/@:]*):.*@", re.IGNORECASE | re.DOTALL)
_TOKEN_OF_A_SITE = re.compile(r"(\bhttps?://)[^\s/@]+@", re.IGNORECASE)
_NAMED = re.compile(rf"({_SECRET}\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s&;,]+)", re.IGNORECASE)
_OPTION = re.compile(rf"--?{_SECRET}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """One command, or call of the library, that worked on a result."""

    command: str
    """As it is typed into a shell, without passwords; empty: a call from Python, which has no command."""

    version: str
    """Of this program."""

    code: str
    """Hash of the sources that results depend on."""

    began: str
    """When it began, in ISO 8601 with the offset from UTC."""

    @classmethod
    def now(cls, command: str, versions: Mapping[str, str]) -> CommandRun:
        """A command that begins now; `versions` as `evaluation.judging.code_version.versions` gives them."""
        began = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        known = {name: versions.get(name, "unknown") for name in ("cleanup-contracts", "code")}
        return cls(command=command, version=known["cleanup-contracts"], code=known["code"], began=began)

    def to_dict(self) -> dict[str, str]:
        """Plain data, for JSON."""
        return {"command": self.command, "version": self.version, "code": self.code, "began": self.began}

    @classmethod
    def from_dict(cls, data: object) -> CommandRun:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: something is missing, unknown or no text that a terminal can show.
        """
        names = ("command", "version", "code", "began")
        if not isinstance(data, Mapping) or set(data) != set(names):
            raise ContractsError(f"a command that made a result has {', '.join(names)}, got {shown(data)}")
        for name in names:
            text = data[name]
            if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
                raise ContractsError(f"the {name} of what made a result is printable text, got {shown(text)}")
        return cls(**{name: data[name] for name in names})

    def __str__(self) -> str:
        return self.command or LIBRARY

    @property
    def when(self) -> str:
        """Version and time, for people: minutes, in UTC; as it is stored where it is no time.

        >>> CommandRun(command="", version="0.1.0", code="", began="2026-01-02T04:05:06.789+01:00").when
        'version 0.1.0, 2026-01-02 03:05 UTC'
        """
        try:
            time = datetime.datetime.fromisoformat(self.began).astimezone(datetime.UTC)
            told = f"{time:%Y-%m-%d %H:%M} UTC"
        except (ValueError, OverflowError):
            told = self.began
        return f"version {self.version}, {told}"


def shell_line(words: Sequence[str]) -> str:
    """A command as one line for a shell, without its passwords.

    >>> shell_line(["cleanup-contracts", "report", "my study", "--storage", "postgresql://me:secret@host/db"])
    "cleanup-contracts report 'my study' --storage 'postgresql://me:***@host/db'"
    """
    return " ".join(_quoted(word) for word in without_secrets(words))


def without_secrets(words: Sequence[str]) -> list[str]:
    """The words of a command, with `***` in place of what may be a password.

    >>> without_secrets(["--api-key", "abc", "host=x password='a b'", "https://token@x.org/a?user=me&token=t"])
    ['--api-key', '***', 'host=x password=***', 'https://***@x.org/a?user=me&token=***']
    """
    found, hide = list[str](), False
    for word in words:
        if hide and not word.startswith("--"):
            found.append(HIDDEN)
        else:
            shorter = _USER_AND_PASSWORD.sub(rf"\1:{HIDDEN}@", word)
            shorter = _TOKEN_OF_A_SITE.sub(rf"\1{HIDDEN}@", shorter)
            found.append(_NAMED.sub(rf"\1{HIDDEN}", shorter))
        hide = _OPTION.fullmatch(word) is not None
    return found


def read_runs(data: object) -> tuple[CommandRun, ...]:
    """Read a list of them.

    Raises:
        ContractsError: as in `CommandRun.from_dict`.
    """
    if not isinstance(data, (list, tuple)):
        raise ContractsError(f"the commands that made a result are a list, got {shown(data)}")
    return tuple(map(CommandRun.from_dict, data))


def told(runs: Sequence[CommandRun]) -> list[str]:
    """Lines that say by which commands a result was begun and continued, each with version and time.

    >>> run = CommandRun(command="cleanup-contracts optimize", version="0.1.0", code="", began="2026-01-02T03:04+00:00")
    >>> print(*told([run, run]), sep="\\n")
    begun by:     cleanup-contracts optimize  (version 0.1.0, 2026-01-02 03:04 UTC)
    continued by: cleanup-contracts optimize  (version 0.1.0, 2026-01-02 03:04 UTC)
    """
    if not runs:
        return [UNKNOWN]
    lines = [f"{'continued by:' if k else 'begun by:':13} {run}  ({run.when})" for k, run in enumerate(runs)]
    if len(lines) > MOST_SHOWN:
        left = len(lines) - MOST_SHOWN
        lines = [lines[0], f"... {left} commands between are not shown", *lines[1 - MOST_SHOWN :]]
    return lines


def to_plain(runs: Iterable[CommandRun]) -> list[dict[str, str]]:
    """All of them as plain data."""
    return [run.to_dict() for run in runs]


def _quoted(word: str) -> str:
    r"""A word as a shell reads it, on one line: line ends, and bytes that are no text, in bash's way.

    >>> print(_quoted("a\nb"))
    $'a\x0ab'
    """
    if word.isprintable():
        return shlex.quote(word)
    letters = (
        c if c.isprintable() and c not in "\\'" else "".join(f"\\x{byte:02x}" for byte in _bytes(c)) for c in word
    )
    return f"$'{''.join(letters)}'"


def _bytes(letter: str) -> bytes:
    """Bytes of a letter, or the byte that Python could not read as one."""
    return letter.encode(errors="surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass")
