"""Hooks of the documentation site.

Pages that live outside docs/ (CONTRIBUTING.md and the like) become pages of the site. Links keep
working on the site and in the repository: one to a file outside docs/ leads to the repository on
the site. A link to a file that does not exist fails the build, in README.md too, and so does the
name of a source file in backquotes, such as `sweep/optimizer.go`.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
# Files of the repository that are pages of the site.
OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "k8s/README.md": "kubernetes.md",
}
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=[^)]*\))")
NAMED = re.compile(r"`([\w./-]+/[\w.-]+\.(?:go|md|proto|py|sh|sql|yaml))`")
BARE = re.compile(r"`([\w-]+\.(?:go|proto|py|sh))`")
SOURCES = {f.name for d in ("cmd", "coordinator", "docs", "k8s", "node", "proto", "results", "sweep")
           for f in (ROOT / d).rglob("*.*")}
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.M | re.S)


def source_of(page_uri):
    """The page's path in the repository."""
    for path, uri in OUTSIDE.items():
        if uri == page_uri:
            return path
    return "docs/" + page_uri


def rewrite(markdown, source, change):
    """Apply change(repository path, fragment) to each relative link outside code."""

    def link(match):
        target = match[1]
        if re.match(r"[a-z]+:|#", target):
            return target
        path, mark, fragment = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if not (ROOT / path).exists():
            raise PluginError(f"{source}: broken link {target}: {path} does not exist")
        return change(path, mark + fragment, target)

    for path in NAMED.findall(markdown):
        folders = "", posixpath.dirname(source)
        if not any((ROOT / folder / path).exists() for folder in folders):
            raise PluginError(f"{source}: {path} does not exist")
    for name in set(BARE.findall(markdown)) - SOURCES:
        raise PluginError(f"{source}: no source file is called {name}")
    pieces = CODE.split(markdown)
    return "".join(p if i % 2 else LINK.sub(link, p) for i, p in enumerate(pieces))


def on_files(files, config):
    for path, uri in OUTSIDE.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    readme = (ROOT / "README.md").read_text()
    rewrite(readme, "README.md", lambda path, fragment, target: target)
    return files


def on_page_markdown(markdown, page, config, files):
    source = source_of(page.file.src_uri)

    def change(path, fragment, target):
        if path in OUTSIDE:
            uri = OUTSIDE[path]
        elif path.startswith("docs/"):
            uri = path.removeprefix("docs/")
        else:
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            return f"{config.extra['repository']}/{kind}/main/{path}{fragment}"
        return posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".") + fragment

    return rewrite(markdown, source, change)
