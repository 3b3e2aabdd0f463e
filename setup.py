"""The one thing that pyproject.toml cannot say: README.md as a package index shows it.

There a relative link leads nowhere. With a `Source` in [project.urls], links and pictures become absolute, to the tag
of this version; without one, links keep their words and pictures are left out.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)\s]+)\)")


def for_index(text: str, source: str | None, version: str) -> str:
    """Markdown whose links all lead somewhere; source: address of the repository, if it has a public one."""

    def replaced(match: re.Match[str]) -> str:
        picture, words, path = match.groups()
        if source is None:
            return "" if picture else words
        return f"{picture}[{words}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/v{version}/{path})"

    # Code blocks stay as they are.
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [LINK.sub(replaced, part) for part in parts[::2]]
    return re.sub(r"\n{3,}", "\n\n", "".join(parts))


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    setup(
        long_description=for_index(readme, project.get("urls", {}).get("Source"), project["version"]),
        long_description_content_type="text/markdown",
    )
