package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

type objectSelectorCases struct {
	LabelSelectors   []*metav1.LabelSelector `json:"labelSelectors"`
	ServiceSelectors []map[string]string     `json:"serviceSelectors"`
	LabelSets        []labels.Set            `json:"labelSets"`
}

type labelSelectorRow struct {
	Text    string `json:"text"`
	Matches string `json:"matches"`
}

// objectSelectors gives each LabelSelector as kubectl prints it, and for each set of labels + when a selector matches it
// and - when not. A selector that is refused matches nothing. Services are matched as the endpoints controller does it:
// one without a selector, or with an empty one, has no pods.
func objectSelectors() map[string]any {
	var cases objectSelectorCases
	read("object-selectors.json", &cases)
	var rows []labelSelectorRow
	for _, labelSelector := range cases.LabelSelectors {
		selector, err := metav1.LabelSelectorAsSelector(labelSelector)
		if err != nil {
			selector = labels.Nothing()
		}
		rows = append(rows, labelSelectorRow{metav1.FormatLabelSelector(labelSelector), signs(selector, cases.LabelSets)})
	}
	var services []string
	for _, service := range cases.ServiceSelectors {
		selector := labels.Nothing()
		if len(service) > 0 {
			selector = labels.Set(service).AsSelectorPreValidated()
		}
		services = append(services, signs(selector, cases.LabelSets))
	}
	return map[string]any{"labelSelectors": rows, "serviceSelectors": services}
}

func signs(selector labels.Selector, sets []labels.Set) string {
	result := ""
	for _, set := range sets {
		result += sign(selector.Matches(set))
	}
	return result
}
