# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.
#
#   make demo IMAGES=~/Pictures     the demo on your own folder
#   make demo PYTHON=python3.12     another Python (3.11 or newer)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# what pip installs; variables, for their commas would part the arguments of a call
DEMO := -e '.[web,demo,heic]'
DEV := -e '.[dev]'
BENCH := -e '.[dev,bench]'

# $(call install,ENVIRONMENT,WHAT): install the pinned versions, and say how much and how long
install = began=$$(date +%s); \
	PIP_CONSTRAINT=constraints.txt $(1)/bin/pip install --quiet --disable-pip-version-check $(2) && \
	echo "installed $$(du -sh $(1) | cut -f1) in $$(( $$(date +%s) - began )) s"
IMAGES ?=
PYTEST_ARGS ?=
# a test that hangs ends its process after ten minutes, and shows where each thread waits
ENDING := -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true --max-worker-restart 2
DIGITS ?= ../shared/data/digits/mnist_idx
PICTURES ?= ../shared/data/imagenette
QUALITY_DATA ?= ../shared/data
LABELLED ?= ../shared/data/near_dup_caltech ../shared/data/cats_dogs/val
OUTSIDE ?= ../shared/data/produce ../shared/data/monkeys
BURSTS ?= ../shared/data/cats_dogs/val
PHOTOS ?= ../shared/data/imagenet_sample_300
EXTRAS ?=
NETWORKS ?= efficientnet_lite0,resnet50,mobilenet_v2_1.0,dinov3-small,mobileclip2-s0
COUNT ?= 1000000

.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' $(firstword $(MAKEFILE_LIST)))  # no target is a file but those in $(VENV)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 24

demo: $(VENV)/.demo ## index pictures, search with one, write a contact sheet
	$(BIN)/kkcv demo $(if $(IMAGES),--images "$(IMAGES)")

hero: demo ## the picture at the top of the README
	cp demo-out/sheet.png docs/images/demo.png

# Compiled modules are kept, whatever the environment says: the tests start very many processes.
test: $(VENV)/.dev ## run the tests
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not slow" $(ENDING) $(PYTEST_ARGS)

check: lint types test ## all that CI checks

lint: $(VENV)/.dev ## style and format, read only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## the type checker
	$(BIN)/mypy

format: $(VENV)/.dev ## put the code into its format
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

install-size: ## what the core install alone takes: size, seconds, the ten largest packages
	@$(PYTHON) -m venv .venv-core && { $(call install,.venv-core,.) && \
		.venv-core/bin/python benchmarks/install_size.py; rm -rf .venv-core; }

bundle: $(VENV)/.dev ## export the default network, which kkcv comes with
	$(BIN)/python -m benchmarks.bundle

lock: $(VENV)/.dev ## write the installed versions into constraints.txt
	@{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt

bench-adapt: $(VENV)/.dev ## what kkcv adapt gains on labelled folders, in five folds: docs/embedders.md
	$(BIN)/python -m benchmarks.adapter ../shared/data/monkeys ../shared/data/produce ../shared/data/imagenette

bench-train: $(VENV)/.dev ## train on cats and dogs, monkeys, produce: the figures of docs/training.md
	$(BIN)/python -m benchmarks.training cats_dogs --most-seconds 120 --retrieval
	$(BIN)/python -m benchmarks.training monkeys produce --rows head,auto
	$(BIN)/python -m benchmarks.fine_tuning cats_dogs monkeys produce

bench-train-heads: $(VENV)/.dev ## the head alone over five seeds: sizes, views, crops and mirror images
	$(BIN)/python -m benchmarks.fine_tuning cats_dogs --rows head,larger,whole,wholelarger
	$(BIN)/python -m benchmarks.fine_tuning monkeys produce --rows head,larger,light

bench-train-resnet50: $(VENV)/.dev ## ResNet50 from a local weights file at full size: measured here, computed for a GPU
	$(BIN)/python -m benchmarks.resnet50

gpu-check: $(VENV)/.dev ## all that a GPU run needs, in at most five minutes (a machine with a GPU)
	$(BIN)/python -m benchmarks.gpu_check

mnist: $(VENV)/.dev ## train both forms of LeNet-5 on the digits in DIGITS
	$(BIN)/python -m benchmarks.lenet_mnist $(DIGITS)

zoo-proof: $(VENV)/.dev ## every network against its papers and peers, at full size
	$(BIN)/kkcv zoo verify --peers

docs: $(VENV)/.dev ## build the documentation site into site/, and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open site/index.html"

test-docs: $(VENV)/.dev ## do what every page and notebook shows; look through the site; use the wheel
	OMP_NUM_THREADS=2 $(BIN)/pytest -m slow tests/test_docs.py tests/test_docs_run.py tests/test_notebooks.py \
		tests/test_site.py tests/wheel $(PYTEST_ARGS)

wheel-test: $(VENV)/.dev ## install the wheel into an empty environment, and search with it
	$(BIN)/python -m tests.wheel

image-test: $(VENV)/.dev ## build the container image's steps in a Debian root, and use it (root)
	$(BIN)/python -m tests.image

extras-test: $(VENV)/.dev ## wheel-test, then each extra in a fresh environment
	$(BIN)/python -m tests.wheel extras

trained-here: $(VENV)/.dev ## train the smallest network of each family for the same time: docs/zoo/trained.md
	$(BIN)/python -m benchmarks.trained_here

docs-zoo: $(VENV)/.dev ## renew the zoo's pages and diagrams in docs/, and its recorded facts
	$(BIN)/python -m kkcv.zoo.record
	$(BIN)/python -m docs.zoo_pages

docs-reference: $(VENV)/.dev ## renew docs/reference: Python, command line, HTTP and search options
	$(BIN)/python docs/write_reference.py

bench-preprocessing: $(VENV)/.dev ## how close the backends land, on the pictures in PICTURES
	$(BIN)/python -m benchmarks.preprocessing $(PICTURES)

bench-quality: $(VENV)/.dev ## what rankings, richer embeddings and verification bring: docs/quality.md
	$(BIN)/python -m benchmarks.quality rankings $(QUALITY_DATA) --plot docs/images/quality.png
	for part in prices embeddings whitening objects chance; do $(BIN)/python -m benchmarks.quality $$part $(QUALITY_DATA) || exit 1; done
	$(BIN)/python -m benchmarks.likeness $(QUALITY_DATA)
	for part in price likeness found strangers duplicates; do $(BIN)/python -m benchmarks.copies $$part $(QUALITY_DATA) || exit 1; done
	$(BIN)/python -m benchmarks.copies_at_scale $(QUALITY_DATA)

bench-scale: $(VENV)/.dev ## what very many pictures would take, measured on PICTURES
	$(BIN)/python -m benchmarks.shards $(PICTURES)

bench: bench-embedding bench-import bench-search bench-serve bench-cold bench-memory bench-plots ## all speed benchmarks: the figures of docs/speed.md

bench-embedding: $(VENV)/.bench ## networks by runtime and precision, and what precision costs
	$(BIN)/python -m benchmarks.embedding rate $(PHOTOS) --networks $(NETWORKS)
	$(BIN)/python -m benchmarks.embedding quality $(PICTURES) $(LABELLED)

bench-presets: $(VENV)/.bench ## presets beside their libraries, with random weights: docs/embedders.md
	$(BIN)/python -m benchmarks.presets ../shared/data/near_dup_caltech

bench-import: $(VENV)/.bench ## PHOTOS to a gallery, beside a DataLoader script and the floor
	$(BIN)/python -m benchmarks.baseline $(PHOTOS)
	$(BIN)/python -m benchmarks.baseline $(PHOTOS) --network resnet50 --weights none

bench-search: $(VENV)/.bench ## 100,000 vectors beside Faiss, hnswlib, usearch, LanceDB, Chroma, Qdrant
	$(BIN)/python -m benchmarks.peers $(PICTURES) --outside $(OUTSIDE)

bench-recall: $(VENV)/.dev ## what each kind of index finds, beside what it promised, for queries from outside
	$(BIN)/python -m benchmarks.recall $(PICTURES) --bursts $(BURSTS) --outside $(OUTSIDE)

bench-serve: $(VENV)/.bench ## 1, 8 and 32 clients over HTTP, beside the same work without it
	$(BIN)/python -m benchmarks.serving $(PHOTOS)

bench-cold: $(VENV)/.bench ## commands from nothing
	$(BIN)/python -m benchmarks.cold_start $(PHOTOS)

bench-memory: $(VENV)/.bench ## an import of 1,000 pictures beside one of 100
	$(BIN)/python -m benchmarks.baseline $(PICTURES) --memory

bench-plots: $(VENV)/.bench ## draw what was measured, for the docs
	$(BIN)/python -m benchmarks.plots

bench-gallery: $(VENV)/.dev ## COUNT vectors grown from PICTURES, beside raw Faiss (10 GB of disk a million)
	$(BIN)/python -m benchmarks.gallery $(PICTURES) --count $(COUNT)

crash-test: $(VENV)/.dev ## kill writers, cut the power, fill the disk: nothing acknowledged is lost
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.crash_test --short

crash-test-long: $(VENV)/.dev ## the same with 5,000 kills: some 20 minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.crash_test --long

# The server listens on every interface, so it gets a network of its own.
APART := unshare --net $(if $(filter-out 0,$(shell id -u)),--map-root-user)
test-milvus: $(VENV)/.dev ## what a gallery on Milvus promises, against the real server (Linux)
	$(APART) $(BIN)/python -m tests.milvus_server -x -k "not sqlite" $(PYTEST_ARGS) \
		tests/search/test_contract.py tests/search/test_contract_networks.py \
		tests/search/test_contract_filters.py tests/search/test_milvus.py \
		tests/search/test_stateful_milvus.py::TestBriefly
	$(APART) $(BIN)/python -m tests.milvus_server --alone -s $(PYTEST_ARGS) tests/search/killed_milvus.py

bench-milvus: $(VENV)/.dev ## what a gallery on the real Milvus takes, with COUNT vectors (Linux)
	$(APART) $(BIN)/python -m benchmarks.milvus $(if $(filter command%,$(origin COUNT)),--count $(COUNT))

test-slow: $(VENV)/.dev ## the tests that take more than a few seconds
	OMP_NUM_THREADS=2 $(BIN)/pytest -m slow $(PYTEST_ARGS)

load-test: $(VENV)/.dev ## 32 clients search and add for a minute: no error, nothing lost
	KKCV_LOAD_SECONDS=60 $(BIN)/pytest -q -s tests/serve/test_load.py

fuzz: $(VENV)/.dev ## 10,000 broken bodies: no 5xx, no crash, no growth of memory, none dear
	KKCV_FUZZ=10000 $(BIN)/pytest -q -s tests/serve/test_fuzz.py

attack: $(VENV)/.dev ## small requests that were expensive once: the dearest of each route, with its cost
	$(BIN)/pytest -q -s tests/serve/test_attack.py

licenses: $(VENV)/.dev ## the license of every package that the core brings (EXTRAS="web heic": those too)
	@$(BIN)/python -m benchmarks.licenses $(EXTRAS)

audit: $(VENV)/.dev ## known vulnerabilities of the pinned versions, where PyPI's list can be had
	@if $(BIN)/python -c "from urllib.request import urlopen; urlopen('https://pypi.org/pypi/flask/3.1.3/json', timeout=10)" 2>/dev/null; \
	then $(BIN)/pip-audit --no-deps --disable-pip --requirement constraints.txt; \
	else echo "not audited: pypi.org does not give its list of vulnerabilities here"; fi

clean: ## remove the environment and what the commands wrote
	rm -rf $(VENV) site demo-out bench-out artifacts build dist *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("kkcv needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# A stamp a set of extras: made again when what is pinned changes.
$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing kkcv and its web page"
	@$(call install,$(VENV),$(DEMO))
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing kkcv with PyTorch and all else (several GB: some minutes the first time)"
	@$(call install,$(VENV),$(DEV))
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.dev
	@echo "installing what kkcv is compared with"
	@$(call install,$(VENV),$(BENCH))
	@touch $@
