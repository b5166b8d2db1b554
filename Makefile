# Everything a contributor runs. `make help` lists the targets.

GOLANGCI_VERSION := v2.15.0

# What reads deploy/, and whose schemas it is compared with.
HELM_VERSION := v3.22.0
KUBECONFORM_VERSION := v0.8.0
COMPOSE_VERSION := v2.16.2
KUBERNETES_VERSION := v1.37.2
PROMETHEUS_OPERATOR_VERSION := v0.85.0

# Packages whose tests have an -update flag that rewrites their golden files.
GOLDEN = ./schema ./plan ./sqlgen ./catalog ./config ./setup ./cli ./docs .

# The longest the tests of one package may take. go's own ten minutes are too few for the
# largest with the race detector on a busy machine.
TEST_TIMEOUT := 25m

# The packages whose tests take longest come first, or the last of them would run alone at the end.
LONGEST := ./test/equivalence . ./gateway ./tenancy ./test/analytics

# Folders `make generate` writes to.
GENERATED := graph resolvers

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Any Go from 1.21 on fetches the version named in go.mod by itself; some
# distributions switch that off. bin comes first because prerequisites.sh puts
# a go there when the machine's own is older than that.
export GOTOOLCHAIN ?= auto
export PATH := $(CURDIR)/bin:$(PATH)

GOLANGCI := bin/golangci-lint
GOLANGCI_STAMP := bin/.golangci-lint-$(GOLANGCI_VERSION)

DEPLOY_STAMP := bin/.deploy-$(HELM_VERSION)-$(KUBECONFORM_VERSION)-$(COMPOSE_VERSION)-$(KUBERNETES_VERSION)-$(PROMETHEUS_OPERATOR_VERSION)

# Outside a usable git checkout there is no revision to stamp.
BUILDVCS = $(shell git rev-parse --verify --quiet HEAD >/dev/null 2>&1 && echo auto || echo false)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Install what is missing, build, and start usher with sample data on 127.0.0.1:8080
	@scripts/prerequisites.sh demo
	@$(MAKE) --no-print-directory build
	bin/usher demo --listen 127.0.0.1:8080 --data ./usher-demo

.PHONY: build
build: ## Build bin/usher
	@echo "building bin/usher (a first build compiles everything and takes minutes)"
	scripts/progress.sh "building" go build -trimpath -buildvcs=$(BUILDVCS) -o bin/usher .

.PHONY: test
test: ## Install what the tests need, run them all, print the count
	@scripts/prerequisites.sh test
	go run ./scripts/testrun -timeout $(TEST_TIMEOUT) $(LONGEST) ./...

.PHONY: check
check: ## The gate: format, vet, lint, generated code, tests with the race detector
	@scripts/prerequisites.sh test
	@$(MAKE) --no-print-directory --silent $(GOLANGCI_STAMP)
	$(GOLANGCI) fmt --diff
	@# With govet, which is what go vet looks for; and of packages compiled as the tests have them, or all would be compiled twice.
	@GOFLAGS="$${GOFLAGS:-} -race" $(MAKE) --no-print-directory lint
	scripts/generated.sh $(GENERATED)
	@$(MAKE) --no-print-directory bench-check
	go run ./scripts/testrun -race -timeout $(TEST_TIMEOUT) $(LONGEST) ./...

.PHONY: bench-check
bench-check: $(GOLANGCI_STAMP) ## Vet, lint and test the benchmark, a Go module of its own
	scripts/progress.sh "checking the benchmark" go vet -C bench ./...
	cd bench && ../scripts/progress.sh "linting the benchmark" ../$(GOLANGCI) run -c ../.golangci.yml ./...
	scripts/progress.sh "testing the benchmark" go test -C bench ./...

.PHONY: generate
generate: $(GOLANGCI_STAMP) ## Generate the GraphQL code from schema/ and gqlgen.yml
	scripts/progress.sh "generating" go tool gqlgen generate
	@# gqlgen rewrites the resolvers' import lists in a format of its own.
	$(GOLANGCI) fmt $(GENERATED)

.PHONY: console
console: ## Build the console's pages from console/web into console/dist (needs Node 20.19)
	scripts/progress.sh "building the console" go generate ./console

.PHONY: golden
golden: ## Rewrite the golden files; read the diff before committing it
	go test $(GOLDEN) -update

.PHONY: lint
lint: $(GOLANGCI_STAMP) ## Run the linters of .golangci.yml
	scripts/progress.sh "linting" $(GOLANGCI) run

.PHONY: fmt
fmt: $(GOLANGCI_STAMP) ## Format the code
	$(GOLANGCI) fmt

.PHONY: vet
vet: ## Run go vet alone
	scripts/progress.sh "vetting" go vet ./...

# The servers usher is compared with have a Go module and npm packages of their
# own, so that their libraries are not usher's.
.PHONY: bench
bench: build ## Measure usher against code written by hand and PostGraphile; writes bench/RESULTS.md (under 40 minutes)
	@scripts/prerequisites.sh bench
	go run -C bench .

.PHONY: bench-quick
bench-quick: build ## The same with a tenth of the data and fewer servers, in under 3 minutes; writes nothing
	@scripts/prerequisites.sh test
	go run -C bench . -quick

.PHONY: bench-growth
bench-growth: build ## What an answer costs when something else grows or usher is cold; writes bench/GROWTH.md (20 minutes)
	@scripts/prerequisites.sh test
	go run -C bench . -growth

# Releases. VERSION says which: make release VERSION=v1.2.3.
.PHONY: release
release: ## Make all that is published of VERSION into dist/: archives, packages, bills of materials, sums (5 minutes)
	@scripts/prerequisites.sh release
	scripts/release.sh "$(VERSION)" dist

.PHONY: release-check
release-check: ## Try what is in dist/: sums, program, lintian, installing the package into a folder
	@scripts/prerequisites.sh release
	scripts/release-check.sh dist

.PHONY: image
image: ## Build the image usher:VERSION with Docker
	scripts/image.sh "$(VERSION)"

.PHONY: lint-deploy
lint-deploy: $(DEPLOY_STAMP) ## Look at all of deploy/ with the tools that will read it
	@scripts/prerequisites.sh deploy
	scripts/lint-deploy.sh

.PHONY: clean
clean: ## Remove what the build and the demo made
	rm -rf bin/usher dist usher-demo

$(GOLANGCI_STAMP):
	@echo "installing golangci-lint $(GOLANGCI_VERSION) into bin/ (about 3 minutes, once)"
	@mkdir -p bin
	@GOBIN=$(CURDIR)/bin GOFLAGS= scripts/progress.sh "installing golangci-lint" \
		go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@rm -f bin/.golangci-lint-*
	@touch $@

$(DEPLOY_STAMP):
	@scripts/prerequisites.sh deploy
	@echo "installing helm, kubeconform and compose-spec into bin/ (about 4 minutes, once)"
	@mkdir -p bin
	@for tool in helm.sh/helm/v3/cmd/helm@$(HELM_VERSION) github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM_VERSION); do \
		GOBIN=$(CURDIR)/bin GOFLAGS= scripts/progress.sh "installing $$tool" go install $$tool; done
	@# Its folder is called cmd, and so would be the program.
	@work=$$(mktemp -d) && GOBIN=$$work GOFLAGS= scripts/progress.sh "installing compose-spec" \
		go install github.com/compose-spec/compose-go/v2/cmd@$(COMPOSE_VERSION) && mv $$work/cmd bin/compose-spec && rm -r $$work
	@rm -rf bin/kube-schemas
	@cd / && kubernetes=$$(go mod download -json k8s.io/kubernetes@$(KUBERNETES_VERSION) | awk -F '"' '$$2 == "Dir" { print $$4 }') && \
		operator=$$(go mod download -json github.com/prometheus-operator/prometheus-operator@$(PROMETHEUS_OPERATOR_VERSION) | awk -F '"' '$$2 == "Dir" { print $$4 }') && \
		go run -C $(CURDIR) ./scripts/kubeschemas bin/kube-schemas $$kubernetes/api/openapi-spec/swagger.json \
			$$operator/jsonnet/prometheus-operator/servicemonitors-crd.json
	@rm -f bin/.deploy-*
	@touch $@
