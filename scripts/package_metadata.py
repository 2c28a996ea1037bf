"""The README and the links of the package, for a package index. The build calls it: ``pyproject.toml``.

An index shows the README without the files that it links to. ``REPOSITORY_URL`` is where they are, for example
``https://github.com/somebody/django-selfreg``. Without it, the text stays and the links and pictures go.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or picture whose target is a file of the repository or a heading.
LOCAL = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:)([^)]+)\)")
PICTURE_ALONE = re.compile(r"^!\[[^\]]*\]\((?!https?:)[^)]+\)\n\n?", re.MULTILINE)


class PackageMetadata(MetadataHookInterface):
    """Fills in ``readme`` and ``urls``."""

    def update(self, metadata: dict) -> None:
        """Adds both to the metadata."""
        repository = os.environ.get("REPOSITORY_URL", "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        version = re.search(r'__version__ = "(.+)"', (Path(self.root) / "selfreg" / "__init__.py").read_text())[1]
        metadata["readme"] = {"content-type": "text/markdown", "text": on_an_index(text, repository, version)}
        if repository:
            metadata["urls"] = {
                "Source": repository,
                "Documentation": f"{repository}/blob/v{version}/docs/index.md",
                "Changelog": f"{repository}/blob/v{version}/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }


def on_an_index(text: str, repository: str, version: str) -> str:
    """Returns the README with absolute links, or without links to files if there is no repository."""
    if not repository:
        return LOCAL.sub(r"\2", PICTURE_ALONE.sub("", text))

    def absolute(match: re.Match) -> str:
        mark, label, target = match.groups()
        folder = f"{'raw' if mark else 'blob'}/v{version}/"
        return f"{mark}[{label}]({repository}{target if target.startswith('#') else '/' + folder + target})"

    return LOCAL.sub(absolute, text)
