"""Rules that map a service's error to an error of the plugin API, by status, code, type and words together.

docs/reference/provider-errors.md has samples of each service; tests/providers/test_error_samples.py runs them.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tgllm.api.errors import (
    AuthFailed,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
    Unsupported,
)

__all__ = ["Rule", "find_rule", "refuses_tools"]

_NO_STATUS = frozenset({0, 200})
"""An error inside a stream, or in place of an answer."""
_REQUEST = _NO_STATUS | {400, 403, 404, 413, 422}
"""Statuses that services use for several kinds of errors."""
_TOO_MUCH = frozenset({413, 429})
_PART = "(image|vision|audio|video|document|file|multimodal)"
_BUSY = _NO_STATUS | {429, 498}


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches an error with one of ``statuses`` that has one of ``codes``, or whose message contains ``words``."""

    kind: type[ProviderError]
    statuses: AbstractSet[int] | None
    """None: every status."""
    codes: AbstractSet[str] = frozenset()
    """In lower case, as ``codes_of`` returns them: a number with ``#`` has no type beside it, as those of Z.ai."""
    words: re.Pattern[str] | None = None

    def matches(self, status: int, codes: AbstractSet[str], words: str) -> bool:
        """Return whether an error is of this kind."""
        if self.statuses is not None and status not in self.statuses:
            return False
        return not codes.isdisjoint(self.codes) or bool(self.words and self.words.search(words))


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_RULES: tuple[Rule, ...] = (
    # Larger than the account's tokens per minute: waiting never helps, a shorter request does.
    Rule(ContextTooLong, _TOO_MUCH, words=_words(r"request too large for .{0,200}tokens")),
    Rule(
        ContextTooLong,
        None,
        _codes(
            "context_length_exceeded exceed_context_size_error context_window_exceeded model_context_window_exceeded"
            " max_context_length_exceeded string_above_max_length tokens_limit_reached prompt_too_long #1261"
        ),
        _words("ContextWindowExceededError"),
    ),
    Rule(
        QuotaExceeded,
        None,
        _codes(
            "insufficient_quota exceeded_current_quota_error billing_error billing_hard_limit_reached"
            " billing_not_active billing_disabled"
            " payment_required payment_method_required insufficient_balance insufficient_credits"
            " insufficient_user_quota arrearage allocationquota.freetieronly spend_limit_exceeded"
            " accountoverdueerror setlimitexceeded budget_exceeded not_enough_balance #1113 minimax-1008"
        ),
        _words(
            r"insufficient[_ ](quota|balance|credits?|funds)|out of credits?|billing[_ ](hard[_ ])?limit",
            r"credit balance is too low|credits? .{0,40}(depleted|exhausted|used up)",
            r"balance .{0,20}(too low|not enough|insufficient)|overdue balance",
            r"(depleted|exhausted|not enough|used all|no) .{0,30}(credits|balance)\b|requires more credits|in arrears",
            r"monthly (included credits|.{0,20}(limit|cap))|spend(ing)? (limit|cap)|specified .{0,20}api usage limits",
            r"(monthly|daily) (token )?quota|exceeded (their|your|its|the) .{0,20}budget|budget has been exceeded",
            r"key limit exceeded|欠费|余额不足",
        ),
    ),
    Rule(
        Unavailable,
        None,
        _codes(
            "service_tier_capacity_exceeded 3505 overloaded_error engine_overloaded_error engine_overloaded overloaded"
            " server_overloaded server_is_overloaded queue_exceeded capacity_exceeded unavailable_error"
            " service_unavailable_error #1305"
        ),
    ),
    Rule(
        Unavailable,
        _BUSY,
        words=_words(
            r"capacity exceeded|overloaded|(at|over|no|insufficient) capacity|serv(er|ice) (is )?(too )?busy",
            r"high (traffic|demand|load)|rate-limited upstream|error-code-429",
        ),
    ),
    Rule(
        AuthFailed,
        None,
        _codes(
            "authentication_error invalid_api_key incorrect_api_key_error invalid_authentication_error api_key_invalid"
            " failed_to_auth invalid_token unauthorized #1000 #1001 #1002 #1003 #1004 minimax-1004"
        ),
    ),
    Rule(
        ModelNotFound,
        None,
        _codes(
            "model_not_found model_decommissioned model_not_exist model_not_available invalid_model modelnotfound"
            " deploymentnotfound resource_not_found_error not_found_error #1211"
        ),
    ),
    Rule(
        Refused,
        None,
        _codes(
            "content_filter content_policy_violation data_inspection_failed datainspectionfailed sensitive"
            " invalid_prompt responsibleaipolicyviolation moderation_blocked guardrail_violation"
            " #1301 minimax-1026 minimax-1027"
        ),
    ),
    Rule(
        RateLimited,
        None,
        _codes(
            "rate_limit_exceeded rate_limit_error rate_limited rate_limit_reached_error too_many_requests"
            " #1302 #1303 minimax-1002 minimax-1039"
        ),
    ),
    Rule(
        ContextTooLong,
        _REQUEST | {500},
        words=_words(
            r"maximum context length|context[_ ](length|window|size)|too many (input )?tokens|prompt (is )?too long",
            r"prompt exceeds|(input|prompt) length.{0,40}exceeds",
            r"token count .{0,80}exceeds|exceeds? .{0,80}max(imum)? .{0,40}tokens|input is too long",
            r"maximum prompt length|exceeded model token limit|n_keep .{0,60}n_ctx|range of input length",
            r"max_tokens must be at least 1, got -|reduce the length of the (messages|prompt|input)",
            r"must have less than \d+ tokens|tokens.{0,40} must be <=|(input|prompt)s? .{0,20}too long",
            r"prompt .{0,40}longer than the (maximum )?(model|context)|exceeds? (the )?context limit",
            r"(input|prompt) token(s| count) .{0,60}(exceeds?|only supports)|request too large.{0,60}\btokens\b",
            r"输入.{0,10}(超长|超过)",
        ),
    ),
    Rule(
        ProviderError,
        _REQUEST,
        _codes("unsupported_country_region_territory"),
        _words(
            r"location is not supported|(country|region).{0,40}not supported|not available in your (country|region)"
        ),
    ),
    Rule(
        Unsupported,
        _REQUEST | {500},
        words=_words(
            rf"\b{_PART}.{{0,80}}(not (enabled|supported|available)|unsupported)",
            rf"(not support|unsupported|only support).{{0,80}}\b{_PART}|\b{_PART}.{{0,40}}too large",
            r"content must be a string|not a multimodal model|unknown variant .?(image_url|file|input_audio)",
            r"at most 0 (image|audio|video)|image_url.{0,40}only supported|endpoints found that support",
            r"(could not|unable to) process (the )?(image|audio|video|document|file)|required for (image|audio) input",
        ),
    ),
    Rule(
        ModelNotFound,
        _REQUEST,
        words=_words(
            r"model[_ ]not[_ ]found|invalid model\b|unknown model|not a valid model|no endpoints found for|\bgated\b",
            r"model .{0,120}((does not|not) exist|not found|decommissioned|no longer (available|supported))",
            r"no models? (is )?loaded|model access denied",
            r"not supported by any provider|\bmodel \S{1,80} is not supported",
        ),
    ),
    Rule(
        Refused,
        _REQUEST,
        words=_words(
            r"content[_ ](policy|filter|management|exists risk)|\bsafety\b|\bmoderation\b|inappropriate content",
            r"(input|prompt) was flagged|flagged by|violates .{0,20}(usage|content) (guidelines|polic)",
            r"sensitive content|敏感",
        ),
    ),
    Rule(
        AuthFailed,
        _NO_STATUS | {400, 403},
        _codes("permission_error permission_denied"),
        _words(
            r"(incorrect|invalid|wrong|missing|expired) (api|access)[ _-]?(key|token)",
            r"(api|access)[ _-]?(key|token) .{0,40}(not valid|invalid|incorrect|expired|disabled)",
        ),
    ),
    Rule(RateLimited, _NO_STATUS | {400}, words=_words(r"rate[_ -]?limit|too[_ ]many[_ ]requests")),
    # Without a status, only the type shows that a retry can't help.
    Rule(ProviderError, _NO_STATUS, _codes("type=invalid_request_error type=bad_request_error type=badrequesterror")),
)
"""The first rule that matches counts; without one, the status decides."""


_NO_TOOLS = _words(
    r"tools param requires --jinja|\btool choice requires --enable-auto-tool-choice",
    r"(does not|doesn't|not) support (parameters: \[?.?)?(the )?(use of )?"
    r"(tools?|tool[ _](use|calls?|calling|choice)|functions?|function[ _]call(s|ing)?)\b",
    r"endpoints found that support tool use",
    r"\b(tools?|tool[ _](use|calls?|calling)|functions|function[ _]call(s|ing)?)\W{0,3} (is|are) not "
    r"(supported|enabled|available)",
)
"""A model or a server that can't call tools: llama.cpp, vLLM, Ollama, OpenRouter, Groq, Gemini, LiteLLM."""


def refuses_tools(status: int, words: str) -> bool:
    """Return whether an error says that a model or a service does not take tools."""
    return status in _REQUEST | {405, 500, 501} and bool(_NO_TOOLS.search(words))


def find_rule(status: int, codes: AbstractSet[str], words: str) -> Rule | None:
    """Return the rule for an error, or None."""
    return next((rule for rule in _RULES if rule.matches(status, codes, words)), None)
