// Prints objects with the printers that kubectl's table comes from (the API server's own), and asks Kubernetes' own code
// for everything else that we compute ourselves, so that ours can be compared with it. Reads pods.json, services.json and
// selectors.json, writes expected.json; for each of the others, such as workloads.json, writes workloads.expected.json.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/printers"
	"k8s.io/kubernetes/pkg/printers/internalversion"
	printerstorage "k8s.io/kubernetes/pkg/printers/storage"
)

type podRow struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Ready    string `json:"ready"`
	Restarts string `json:"restarts"`
}

type serviceRow struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	ClusterIP  string `json:"clusterIP"`
	ExternalIP string `json:"externalIP"`
	Ports      string `json:"ports"`
}

type selectorCases struct {
	LabelSelectors []string     `json:"labelSelectors"`
	LabelSets      []labels.Set `json:"labelSets"`
	FieldSelectors []string     `json:"fieldSelectors"`
	FieldSets      []fields.Set `json:"fieldSets"`
}

func main() {
	convertor := printerstorage.TableConvertor{
		TableGenerator: printers.NewTableGenerator().With(internalversion.AddHandlers),
	}

	var pods []v1.Pod
	read("pods.json", &pods)
	podRows := make([]podRow, 0, len(pods))
	for i := range pods {
		cells := row(convertor, &pods[i], &api.Pod{})
		podRows = append(podRows, podRow{cells["Name"], cells["Status"], cells["Ready"], cells["Restarts"]})
	}

	var services []v1.Service
	read("services.json", &services)
	serviceRows := make([]serviceRow, 0, len(services))
	for i := range services {
		cells := row(convertor, &services[i], &api.Service{})
		serviceRows = append(serviceRows, serviceRow{
			cells["Name"], cells["Type"], cells["Cluster-IP"], cells["External-IP"], cells["Port(s)"],
		})
	}

	var cases selectorCases
	read("selectors.json", &cases)

	write("expected.json", map[string]any{
		"pods":           podRows,
		"services":       serviceRows,
		"labelSelectors": matchLabels(cases),
		"fieldSelectors": matchFields(cases),
	})
	write("workloads.expected.json", workloads(convertor))
	write("events.expected.json", events(convertor))
	write("durations.expected.json", durations())
	write("inventory.expected.json", inventory())
	write("object-selectors.expected.json", objectSelectors())
}

// row gives an object's cells by column name. No defaults are applied: the pod is printed as it is written.
func row(convertor printerstorage.TableConvertor, object, internal runtime.Object) map[string]string {
	check(legacyscheme.Scheme.Convert(object, internal, nil))
	table, err := convertor.ConvertToTable(context.Background(), internal, &metav1.TableOptions{})
	check(err)
	cells := map[string]string{}
	for i, column := range table.ColumnDefinitions {
		cells[column.Name] = fmt.Sprint(table.Rows[0].Cells[i])
	}
	return cells
}

// matchLabels gives, for each selector, a character for each set of labels: + when it matches, - when it does not.
// A selector that does not parse gives "error".
func matchLabels(cases selectorCases) []string {
	var results []string
	for _, text := range cases.LabelSelectors {
		selector, err := labels.Parse(text)
		if err != nil {
			results = append(results, "error")
			continue
		}
		result := ""
		for _, set := range cases.LabelSets {
			result += sign(selector.Matches(set))
		}
		results = append(results, result)
	}
	return results
}

// matchFields does the same for field selectors.
func matchFields(cases selectorCases) []string {
	var results []string
	for _, text := range cases.FieldSelectors {
		selector, err := fields.ParseSelector(text)
		if err != nil {
			results = append(results, "error")
			continue
		}
		result := ""
		for _, set := range cases.FieldSets {
			result += sign(selector.Matches(set))
		}
		results = append(results, result)
	}
	return results
}

func sign(matches bool) string {
	if matches {
		return "+"
	}
	return "-"
}

func read(path string, into any) {
	bytes, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(bytes, into))
}

func write(path string, value any) {
	file, err := os.Create(path)
	check(err)
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(value))
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
