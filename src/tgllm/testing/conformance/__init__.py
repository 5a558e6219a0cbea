"""Conformance kit: tests of the contract of providers, and of file handlers.

Needs ``pip install "tgllm[testing]"``. A plugin's test module is a few lines::

    from tgllm.testing.conformance import ProviderConformance
    from tgllm_mine.testing import MyServiceUnderTest


    class TestMine(ProviderConformance):
        plugin = "tgllm_mine.plugin"
        under_test = MyServiceUnderTest
"""

from tgllm.testing.conformance.file_handlers import FileHandlerConformance
from tgllm.testing.conformance.suite import ProviderConformance
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["FileHandlerConformance", "ProviderConformance", "ProviderUnderTest"]
