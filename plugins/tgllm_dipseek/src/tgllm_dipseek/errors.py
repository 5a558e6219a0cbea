"""What the DeepSeek API says when it fails, as errors of the contract (DeepSeek API: error codes)."""

from tgllm.api.errors import ProviderError, QuotaExceeded, Unsupported
from tgllm.providers.failure import Failure, explain

__all__ = ["explain_dipseek"]


def explain_dipseek(failure: Failure) -> ProviderError:
    """The error for a failure; its body is JSON whatever its content type says."""
    if failure.status == 402:
        return QuotaExceeded("the account at DeepSeek is out of credit: top it up at platform.deepseek.com (402)")
    if failure.status in {400, 422} and "image_url" in failure.words:
        return Unsupported(str(failure))
    return explain(failure)
