// Checks deployment files with the code that will read them.
//
//	check manifests < file.yaml        decodes strictly, as the API server does with fieldValidation=Strict: unknown and
//	                                   duplicate fields are errors. Prints {"objects": [...]}.
//	check chart <folder> < values.json renders and lints with Helm's own engine, values checked against the chart's schema,
//	                                   then does the same. Prints {"objects": [...], "notes": "...", "lint": [...]}.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
)

// Report is what is printed.
type Report struct {
	Objects []runtime.Object `json:"objects"`
	Notes   string           `json:"notes,omitempty"`
	Lint    []string         `json:"lint,omitempty"`
}

func main() {
	report, err := run(os.Args[1:], os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader) (Report, error) {
	switch {
	case len(args) == 1 && args[0] == "manifests":
		objects, err := decode(in)
		return Report{Objects: objects}, err
	case len(args) == 2 && args[0] == "chart":
		values := map[string]any{}
		if err := json.NewDecoder(in).Decode(&values); err != nil {
			return Report{}, err
		}
		return checkChart(args[1], values)
	default:
		return Report{}, fmt.Errorf("usage: check manifests | check chart <folder>")
	}
}
