# Every target starts from a bare checkout: it makes .venv, installs what is missing, and spends nothing when all is there.

PYTHON ?= python3
BIN := .venv/bin
# The address of an index of CPU-only PyTorch wheels; then the CUDA libraries (4 GB) are left out.
TORCH_INDEX ?=
SYSTEM_PACKAGES := apertium apertium-eng-spa
TEST_PACKAGES := postgresql gettext nginx-light chromium
# Where `make run` listens, and where it keeps its pid file and socket.
LISTEN ?= 127.0.0.1
PORT ?= 8000
RUN_DIR ?= $(CURDIR)/build/run
# What all of it says: since the last start; beside it, as $(LOG).1, what was said before.
LOG = $(RUN_DIR)/zirnevis.log
PYTEST := $(BIN)/python -m pytest
# npm writes this file; what checks the scripts of the pages is installed when it is there.
NODE_PACKAGES := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.NOTPARALLEL:  # one pip at a time in one .venv
.PHONY: help demo run logs test soak check format bench whisperx lock vendor frames messages screenshots clean

help: ## what the targets do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/base .venv/system .env ## two subtitled videos from the bundled clip
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

run: .venv/base .venv/system .env ## everything: web server, clusters, reaper; Ctrl-C stops all of it
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@mkdir -p "$(RUN_DIR)"
	@$(BIN)/python manage.py first_admin --address "http://$(LISTEN):$(PORT)"
	@echo "Zirnevis runs on http://$(LISTEN):$(PORT) (Ctrl-C stops everything)"
	@touch "$(LOG)" && mv "$(LOG)" "$(LOG).1"
	@BIN="$(CURDIR)/$(BIN)" LISTEN="$(LISTEN)" PORT="$(PORT)" RUN_DIR="$(RUN_DIR)" \
		exec bash -c 'exec $(BIN)/supervisord --configuration deploy/supervisord.conf > >(exec tee -i "$(LOG)") 2>&1'

logs: ## what happened lately, and what happens now; Ctrl-C ends looking
	@if [ -e "$(LOG)" ]; then exec tail -n 200 -F "$(LOG)"; \
	elif systemctl is-active --quiet zirnevis 2>/dev/null; then exec journalctl -n 200 -f -u zirnevis; \
	else echo "Nothing has been logged: \`make run\` begins." >&2; exit 1; fi

test: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## the whole suite
	$(PYTEST) -n 2 --dist loadfile
	npm test --silent

soak: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## the whole suite with long repetitions
	$(PYTEST) -n 2 --dist loadfile --timeout 1800 -m "soak or not bench"
	npm test --silent

check: .venv/dev $(NODE_PACKAGES) ## lint, types, layers, migrations, deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	ENV_FILE= SECRET_KEY=only-to-look-at-the-models $(BIN)/python manage.py makemigrations --check --dry-run
	ENV_FILE= HTTPS=1 SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	npm run --silent check

format: .venv/dev $(NODE_PACKAGES) ## lint fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run --silent format

bench: .venv/dev .venv/system .venv/system-test $(NODE_PACKAGES) ## measurements, with their references in the same run
	$(BIN)/python -m tests.benchmarks

whisperx: .venv/whisperx ## WhisperX as requirements/whisperx.txt locks it (4.8 GB to download)

lock: .venv/dev ## make every requirements/*.txt anew from its *.in
	deploy/lock.sh

vendor: .venv/dev ## copy fonts from their packages as static/vendor/vendor.lock.json names them
	$(BIN)/python deploy/vendor.py

frames: .venv/dev ## draw the approved subtitle pictures anew: look at each before you commit it
	$(BIN)/python -m tests.pipeline.approve_frames

messages: .venv/dev .venv/system-test ## renew the Persian catalogue from the sources; translate what is new, then run it again
	ENV_FILE= DEBUG=1 $(BIN)/python manage.py makemessages --locale fa --no-location --no-wrap \
		--ignore=.venv --ignore=build --ignore=staticfiles --ignore=tests --ignore=demo
	ENV_FILE= DEBUG=1 $(BIN)/python manage.py compilemessages --locale fa --ignore=.venv

screenshots: .venv/dev .venv/system .venv/system-test ## every page as a picture into docs/screenshots: look at each before you commit it
	$(PYTEST) tests/tour/draw_screenshots.py

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

# With a CPU index the CUDA libraries and triton are left out: CPU wheels do not ask for them.
.venv/whisperx: requirements/whisperx.txt | .venv/base
	$(if $(TORCH_INDEX),grep -vE '^(nvidia-|triton)' $< > .venv/whisperx.lock,cp $< .venv/whisperx.lock)
	$(BIN)/pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r .venv/whisperx.lock
	@touch $@

.venv/system: deploy/system-packages.sh | .venv/made
	@if deploy/system-packages.sh $(SYSTEM_PACKAGES); then touch $@; fi

.venv/system-test: deploy/system-packages.sh Makefile | .venv/made
	@if deploy/system-packages.sh $(TEST_PACKAGES); then touch $@; fi

$(NODE_PACKAGES): package-lock.json .npmrc deploy/node-packages.sh
	@if deploy/node-packages.sh; then touch $@; fi

.env: | .venv/made
	@umask 077 && sed "s|^SECRET_KEY=.*|SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')|" \
		.env.example > .env && echo "Wrote .env with a new SECRET_KEY."
