"""What plugins keep for a person in the bot's database: values of their stores, and one-shot jobs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api import Json
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import jobs, values
from tgllm.db.tables.plugins.jobs import PluginJob
from tgllm.db.tables.plugins.values import PersonValue
from tgllm.services.common.times import iso_time

__all__ = ["PluginData", "load_plugin_data", "plugin_objects"]


@dataclass(frozen=True, slots=True)
class PluginData:
    """Values and jobs of a person."""

    values: Sequence[PersonValue] = ()
    jobs: Sequence[PluginJob] = ()


def load_plugin_data(conn: Connection, person_id: int) -> PluginData:
    """Read what plugins keep for a person, also plugins that are not installed any more."""
    return PluginData(values.owned_by(conn, person_id), jobs.owned_by(conn, person_id))


def plugin_objects(data: PluginData) -> list[Json]:
    """Return an object for each plugin, by id."""
    ids = sorted({value.plugin_id for value in data.values} | {job.plugin_id for job in data.jobs})
    return [_object(plugin_id, data) for plugin_id in ids]


def _object(plugin_id: str, data: PluginData) -> Json:
    return {
        "plugin": plugin_id,
        "values": {value.key: json.loads(value.value) for value in data.values if value.plugin_id == plugin_id},
        "jobs": [
            {"id": job.job_id, "due_at": iso_time(job.due_at), "data": job.data}
            for job in data.jobs
            if job.plugin_id == plugin_id
        ],
    }
