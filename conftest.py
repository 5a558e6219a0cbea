"""For all tests, those of the plugins too."""

import os

from hypothesis import HealthCheck, settings

from tgllm.providers.network import VARIABLE

# A request to a real service costs money, and fails where there is no network; processes that a test starts inherit it.
os.environ.setdefault(VARIABLE, "0")

# No test may fail because the machine is busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
