"""The built-in provider keeps the contract that the kit checks."""

from typing import ClassVar

from tgllm.testing.conformance import ProviderConformance, ProviderUnderTest

NO_SERVICE = "echo talks to no service, so nothing can fail, stall or be counted there"


class Echo(ProviderUnderTest):
    model = "echo"


class TestEcho(ProviderConformance):
    plugin = "tgllm.plugins.builtin.echo"
    under_test = Echo
    allowed_imports = frozenset({"aiosqlite"})  # by the package that echo is in
    exempt: ClassVar = {
        "test_without_a_key_it_says_what_to_set": "it needs no key",
        "test_pieces_come_as_they_are_sent": NO_SERVICE,
        "test_usage_is_what_the_service_counted": NO_SERVICE,
        "test_reasoning_is_apart_from_the_answer": "it does not think",
        "test_the_conversation_arrives": NO_SERVICE,
        "test_the_system_message_is_honoured": NO_SERVICE,
        "test_a_setting_arrives_or_is_refused": NO_SERVICE,
        "test_provider_data_comes_back": "it hands out no data",
        "test_a_failure_is_mapped": NO_SERVICE,
        "test_no_key_is_told": "it has no key",
        "test_the_wait_that_is_asked_for_is_told": NO_SERVICE,
        "test_an_answer_that_breaks_off_is_an_error": NO_SERVICE,
        "test_a_list_that_cannot_be_had_is_an_error": "its list is a constant",
        "test_cancellation_closes_the_connection": "it has no connection",
        "test_aclose_in_the_middle_closes_the_connection": "it has no connection",
        "test_it_answers_after_a_stream_was_closed": NO_SERVICE,
        "test_closing_leaves_no_connection_open": "it has no connection",
        "test_a_service_out_of_reach_is_unavailable": NO_SERVICE,
    }
