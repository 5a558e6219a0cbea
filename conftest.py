"""For all tests, those of the plugins too."""

import os

from tgllm.providers.network import VARIABLE

# A request to a real service costs money, and fails where there is no network; processes that a test starts inherit it.
os.environ.setdefault(VARIABLE, "0")
