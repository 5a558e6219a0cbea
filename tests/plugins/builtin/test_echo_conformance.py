"""The built-in provider keeps the contract that the kit checks."""

from typing import ClassVar

from tgllm.testing.conformance import ProviderConformance, ProviderUnderTest

NO_SERVICE = "echo talks to no service, so nothing can fail, stall or be counted there"


NEEDS_A_SERVICE = (
    "test_the_finish_reason_is_told",
    "test_a_stream_that_breaks_is_an_error",
    "test_an_empty_piece_is_not_the_end",
    "test_a_long_piece_arrives",
    "test_no_token_is_left_out_of_the_sums",
    "test_a_part_of_the_tokens_is_told",
    "test_usage_belongs_to_its_answer",
    "test_usage_that_comes_late_counts",
    "test_a_file_of_an_earlier_question_stays",
    "test_deviations_of_gateways_are_tolerated",
    "test_an_error_in_place_of_an_answer_is_told",
    "test_the_request_is_not_changed",
    "test_roles_and_order_arrive",
    "test_nothing_of_an_earlier_request_is_sent",
    "test_a_small_value_arrives_or_is_refused",
    "test_a_reasoning_effort_arrives_or_is_refused",
    "test_reasoning_efforts_differ",
    "test_the_user_key_arrives",
    "test_every_model_is_listed",
    "test_models_are_described",
    "test_a_broken_list_is_an_error",
    "test_a_list_that_breaks_off_is_an_error",
    "test_the_list_is_asked_for_anew",
    "test_an_answer_that_ends_too_early_is_an_error",
    "test_a_failure_in_the_middle_is_mapped",
    "test_a_wrong_key_is_not_tried_again",
    "test_any_status_is_an_error_of_the_contract",
    "test_a_wrong_request_is_not_tried_again",
    "test_what_would_fail_again_is_not_tried_again",
    "test_a_retry_waits_as_long_as_the_service_asks",
    "test_the_key_follows_no_redirect",
    "test_no_question_is_told",
    "test_closing_a_stream_leaves_another_open",
    "test_cancellation_before_the_first_piece_closes_the_connection",
    "test_it_answers_after_an_answer_that_broke_off",
    "test_answers_leave_no_connections_behind",
    "test_a_failure_does_not_block_the_loop",
)
"""Tests of what only a service can do."""


class Echo(ProviderUnderTest):
    model = "echo"


class TestEcho(ProviderConformance):
    plugin = "tgllm.plugins.builtin.echo"
    under_test = Echo
    allowed_imports = frozenset({"aiosqlite"})  # by the package that echo is in
    exempt: ClassVar = {
        **dict.fromkeys(NEEDS_A_SERVICE, NO_SERVICE),
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
