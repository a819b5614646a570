//go:build tools

// Package tools names what the depot builds of this module: go.mod and go.sum pin its dependencies, those of tests included.
package tools

import (
	_ "github.com/onsi/ginkgo/v2/ginkgo"
	_ "k8s.io/kubernetes/test/e2e"
	_ "k8s.io/kubernetes/test/images/agnhost"
	_ "k8s.io/sample-apiserver"
)
