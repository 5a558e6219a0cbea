"""Tools for authors of providers; public, like ``tgllm.api``. Import from the modules, so that only what is used loads.

- ``http``: a pooled HTTP client for one service; the only module of tgllm that imports httpx
- ``failure``: what a service said instead of an answer, and which error of the contract that is
- ``retry``: attempts with waits, up to the first piece of the answer
- ``sse``: server-sent events from bytes
- ``openai_chat``, ``openai_reader``: a whole provider for services that speak OpenAI's chat completions
- ``tokens``: an estimate of tokens without a tokenizer, corrected by what services report
- ``prices``, ``capabilities``: what models cost and can do, from TOML files
- ``attachments``: files in the form in which services take them
- ``json_values``: reads JSON of unknown shape
- ``network``: the switch that forbids requests to real services in tests
"""
