"""Build hook: builds the front end into the package, so that a wheel or sdist carries it.

The bundle is left alone when it was built from the sources at hand (a digest of them is kept
beside it), so building a wheel from an sdist needs neither Node nor a network.
Set `GENSCOPE_SKIP_FRONTEND=1` to leave it as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "*.config.*",
    "tsconfig*.json",
)
"""What in frontend/ decides the bundle, as glob patterns."""

OUTPUTS = ("index.js", "report.js")
"""What the plugin and the HTML report cannot do without."""


class FrontendBuildHook(BuildHookInterface[Any]):
    """Runs npm before the files of a wheel, sdist or editable install are gathered."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the bundle up to date; a failure ends the build with one line."""
        if os.environ.get("GENSCOPE_SKIP_FRONTEND") == "1":
            return
        root = Path(self.root)
        build(root / "frontend", root / "plugin" / "genscope" / "tensorboard" / "static")


def build(frontend: Path, static: Path) -> None:
    """Build `frontend` into `static`, unless what lies there comes from the same sources.

    Raises SystemExit with one line that says what to do where npm is missing or fails:
    an exception would bury it in the traceback that installers print.
    """
    digest = source_digest(frontend)
    stamp = static / "sources.sha256"
    built = [static / name for name in OUTPUTS]
    if stamp.is_file() and stamp.read_text() == digest and all(map(Path.is_file, built)):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "genscope: npm is not on PATH, and building the TensorBoard page needs it. Install "
            "Node.js 20 or newer, or set GENSCOPE_SKIP_FRONTEND=1 to install without the page."
        )
    if needs_packages(frontend):
        run(frontend, npm, "ci" if (frontend / "package-lock.json").is_file() else "install")
    run(frontend, npm, "run", "build")
    for path in built:
        if not path.is_file():
            raise SystemExit(f"genscope: `npm run build` left no {path}.")
    stamp.write_text(digest)


def run(frontend: Path, npm: str, *arguments: str) -> None:
    """Run npm in `frontend`, its output to stderr; raises SystemExit if it fails."""
    sys.stdout.flush()
    done = subprocess.run([npm, *arguments], cwd=frontend, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SystemExit(
            f"genscope: `npm {' '.join(arguments)}` in frontend/ failed with exit status "
            f"{done.returncode}; its output is above."
        )


def needs_packages(frontend: Path) -> bool:
    """Whether node_modules is missing or older than the lock file."""
    lock = frontend / "package-lock.json"
    record = frontend / "node_modules" / ".package-lock.json"
    if not record.is_file():
        return True
    return lock.is_file() and record.stat().st_mtime < lock.stat().st_mtime


def source_digest(frontend: Path) -> str:
    """SHA-256 over the names and bytes of the files that decide the bundle, in hex."""
    found: set[Path] = set()
    for pattern in SOURCES:
        for path in frontend.glob(pattern):
            found.update(path.rglob("*") if path.is_dir() else [path])
    digest = hashlib.sha256()
    for path in sorted(path for path in found if path.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(frontend).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


if __name__ == "__main__":
    _root = Path(__file__).resolve().parent
    build(_root / "frontend", _root / "plugin" / "genscope" / "tensorboard" / "static")
