"""Settings of the processes that run one bot on one PostgreSQL database."""

from typing import Self

from pydantic import Field, model_validator

from tgllm.config.sections.base import Section

__all__ = ["ReplicasSection"]


class ReplicasSection(Section):
    """Settings of replicas: processes that run one bot together; they need database.url."""

    name: str = Field(
        default="",
        max_length=100,
        description="Name of this replica in the log, the metrics and /readyz; by default its host and process.",
    )
    lease: float = Field(
        default=30.0,
        ge=0.3,
        le=600,
        description="Seconds without a sign of life after which the other replicas take over the work of one.",
    )
    heartbeat: float = Field(default=10.0, ge=0.1, description="Seconds between two signs of life.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.heartbeat > self.lease / 2:
            raise ValueError("heartbeat must be at most half of lease")
        return self
