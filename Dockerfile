# syntax=docker/dockerfile:1
# The bot as an image: docker build --tag tgllm .
#
#   BASE      an image with Python 3.11 or newer     --build-arg BASE=python:3.12-slim-bookworm
#   EXTRAS    extras of tgllm                        --build-arg EXTRAS=files,fast,metrics,sentry
#   PLUGINS   more plugins, as pip names them        --build-arg PLUGINS="tgllm-local tgllm-foo==1.2"
#
# The secret "pip.conf" (optional) says where pip finds packages; it is not stored in the image.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=files,fast,metrics,sentry
ARG PLUGINS=""
SHELL ["/bin/sh", "-eu", "-c"]
# pip stays here: the environment of the bot has none.
RUN python3 -m venv /opt/tools && python3 -m venv --without-pip /opt/venv
WORKDIR /build
COPY constraints.txt ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/tools/bin/pip install --no-cache-dir --disable-pip-version-check --quiet --constraint constraints.txt hatchling
COPY . ./
# Packages of this repository come from it, also those that PLUGINS names; all other packages come from pip's index.
RUN for project in . plugins/*/; do \
        (cd "$project" && /opt/tools/bin/python -m hatchling build --target wheel --directory /wheels); \
    done; \
    for wheel in /wheels/*.whl; do \
        basename "$wheel" | sed -E 's/^([^-]+)-([^-]+)-.*/\1==\2/'; \
    done > own.txt; \
    printf '%s\n' "tgllm[$EXTRAS]" tgllm-gemini tgllm-mistral tgllm-dipseek tgllm-openai tgllm-anthropic > packages.txt; \
    printf '%s' "$PLUGINS" | tr -s '[:space:]' '\n' >> packages.txt
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
        --quiet --find-links /wheels --constraint own.txt --constraint constraints.txt --requirement packages.txt \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="tgllm" \
      org.opencontainers.image.description="Private LLM bots on Telegram" \
      org.opencontainers.image.licenses="MIT"
# A root file system that is read-only keeps no bytecode, and slim images come without that of the standard library.
RUN python3 -m compileall -q -j 0 -x '/(test|tests|idlelib|tkinter|turtledemo|lib2to3|ensurepip|site-packages|dist-packages)/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && echo 'tgllm:x:10001:10001::/data:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'tgllm:x:10001:' >> /etc/group \
    && mkdir --mode=700 /data && chown 10001:10001 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/data \
    TGLLM_DATA_DIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /data
VOLUME /data
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=30s --start-period=2m --retries=3 CMD ["tgllm", "ping"]
ENTRYPOINT ["tgllm"]
CMD ["run"]
