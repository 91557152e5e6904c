# Two commands: `make demo` runs the whole pipeline, `make test` checks it. Both create the environment first.
#
#   make demo                    textbook PDF -> pretrained -> fine-tuned -> executed tool calls -> scores
#   make test                    lint, types and tests, exactly what CI runs
#   make test-slow               the longer tests as well
#
# PYTHON        the interpreter the environment is made from (3.11 or newer)
# TORCH_INDEX   a pip index that serves CPU builds of PyTorch, for machines without a GPU whose default index has CUDA builds only

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
TORCH   = torch>=2.13,<2.14

.PHONY: demo test test-slow lint format install handbook clean
.DELETE_ON_ERROR:

demo: $(VENV)/.ready
	$(BIN)/medcall demo -o artifacts/demo

# One thread for each of the test processes: the cores are theirs.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

test-slow: lint
	$(BIN)/python -m pytest -m "slow or not slow"

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p gpt2 -p decoding -p tools -p data -p sft -p medcall

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

handbook: $(VENV)/.ready-dev
	$(BIN)/python -m data.handbook.build

install: $(VENV)/.ready

# Torch comes first and alone, so that the check in front of it decides what gets installed.
$(VENV)/.torch: .ci/check_torch.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "medcall needs Python 3.11 or newer; set PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python .ci/check_torch.py "$(TORCH)" $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$(TORCH)"
	@touch $@

$(VENV)/.ready: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@

clean:
	rm -rf artifacts build *.egg-info .pytest_cache .mypy_cache .ruff_cache
