"""Which builder of images is used here."""

import os
import shutil
import tempfile
from pathlib import Path

from images.buildah import Buildah
from images.docker import Docker
from images.engine import Engine, Steps, answers
from images.stand_in import install_buildah

NONE = (
    "No builder of images answers here. Start docker or podman where they reach a registry, or run this as root on a "
    "Debian system, where it installs buildah and mmdebstrap with apt-get."
)


def choose(base: str) -> Engine:
    """Return docker or podman if they run and have the base image, otherwise buildah.

    Raises:
        AssertionError: none can be had; the message says what would help.
    """
    scratch = Path(tempfile.mkdtemp(prefix="tgllm-image-"))
    for name in ("docker", "podman"):
        if answers(name, "info") and (
            answers(name, "image", "inspect", base) or answers(name, "pull", "--quiet", base)
        ):
            return Docker(name, scratch, Steps())
    assert os.geteuid() == 0, NONE
    assert shutil.which("apt-get"), NONE
    steps = Steps()
    with steps.timed("apt-get"):
        install_buildah()
    return Buildah(scratch, steps)
