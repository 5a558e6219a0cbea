"""Toolkit for provider authors; public, like ``tgllm.api``. Import from the modules, so that only those are loaded.

- ``http``: pooled HTTP client for one service; besides, only ``routing`` and ``transport`` import httpx
- ``proxies``: proxies of the environment and of the settings
- ``failure``: failed responses of services, and the matching errors of the plugin API, by ``error_rules``
- ``rejected_fields``: fields of a request that a service rejects, changed for a second request
- ``retry``: retries with backoff, up to the first piece of an answer
- ``sse``: parser of server-sent events; ``stream_documents``: the JSON documents inside them
- ``openai_chat``, ``openai_reader``: a complete provider for services with OpenAI's chat completions API
- ``tokens``: token estimates without a tokenizer, calibrated by reported usage
- ``prices``, ``capabilities``: prices and capabilities of models, from TOML files
- ``attachments``: files inside requests
- ``json_values``: access to JSON of unknown structure
- ``streams``: one answer from its request to the end of its stream, reasoning between tags, and signs of life while
  nothing comes
- ``network``: the switch that forbids requests to real services in tests
"""
