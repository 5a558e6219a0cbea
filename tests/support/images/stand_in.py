"""A stand-in for the base image, and the packages to install into it, where no registry can be reached."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from images.engine import run

LEFT_OUT = ("doc", "man", "locale", "info")


def install_buildah() -> None:
    """Install buildah and mmdebstrap, if they are missing.

    Raises:
        AssertionError: they can't be installed.
    """
    if shutil.which("buildah") and shutil.which("mmdebstrap"):
        return
    command = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "buildah", "mmdebstrap")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(*command, **quiet)
    except AssertionError:
        # The lists of packages are missing, or older than the packages.
        run("apt-get", "update", "--quiet")
        run(*command, **quiet)


def fill_base(folder: Path) -> None:
    """Put a small Debian with Python into a folder, from the apt sources of this machine.

    Like an official slim image, it has no documentation and no bytecode of the standard library.
    """
    sources = [
        path for path in sorted(Path("/etc/apt").glob("sources.list*/*")) if path.suffix in {".list", ".sources"}
    ]
    main = Path("/etc/apt/sources.list")
    sources += [main] if main.exists() and main.read_text().strip() else []
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    run(
        "mmdebstrap", "--mode=root", "--variant=minbase", "--include=python3,python3-venv,ca-certificates",
        "--format=directory", "--dpkgopt=force-unsafe-io", *options, _codename(), folder, *sources,
    )  # fmt: skip
    # They name the mirrors of this machine.
    shutil.rmtree(folder / "etc" / "apt")
    for path in folder.glob("usr/lib/python3*/**/*.pyc"):
        path.unlink()


def fill_wheelhouse(folder: Path, context: Path, python: str) -> None:
    """Download what the Dockerfile installs besides the packages of this repository, as wheels for that Python."""
    dockerfile = (context / "Dockerfile").read_text()
    extras = re.findall(r"^ARG EXTRAS=(\S+)", dockerfile, re.MULTILINE)
    plugins = [context / "plugins" / name.replace("-", "_") for name in re.findall(r"\btgllm-[a-z]+\b", dockerfile)]
    run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--quiet",
        "--only-binary=:all:", f"--python-version={python}", "--no-build-isolation",
        f"--constraint={context / 'constraints.txt'}", f"--dest={folder}", "hatchling",
        f"{context}[{extras[0]}]", *(plugin for plugin in dict.fromkeys(plugins) if plugin.is_dir()),
    )  # fmt: skip


def python_of_the_base() -> str:
    """The version of Python that ``fill_base`` installs, such as 3.11."""
    shown = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", "python3"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"^Version: (\d+\.\d+)", shown, re.MULTILINE)
    assert found is not None, shown
    return found[1]


def _codename() -> str:
    release = Path("/etc/os-release").read_text()
    found = re.search(r"^VERSION_CODENAME=(\S+)", release, re.MULTILINE)
    assert found is not None, "this is no Debian"
    return found[1]
