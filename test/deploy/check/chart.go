package main

import (
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/engine"
)

const (
	release   = "kascade"
	namespace = "gitlab"
)

func checkChart(folder string, values map[string]any) (Report, error) {
	chart, err := loader.Load(folder)
	if err != nil {
		return Report{}, err
	}
	options := common.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	renderValues, err := util.ToRenderValues(chart, values, options, common.DefaultCapabilities)
	if err != nil {
		return Report{}, err
	}
	files, err := engine.Render(chart, renderValues)
	if err != nil {
		return Report{}, err
	}
	report := Report{Lint: lintMessages(folder, values)}
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			report.Notes = text
			continue
		}
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		objects, err := decode(strings.NewReader(text))
		if err != nil {
			return Report{}, err
		}
		report.Objects = append(report.Objects, objects...)
	}
	return report, nil
}

// lintMessages are the warnings and errors of `helm lint`.
func lintMessages(folder string, values map[string]any) []string {
	messages := []string{}
	for _, message := range lint.RunAll(folder, values, namespace).Messages {
		if message.Severity >= support.WarningSev {
			messages = append(messages, message.Error())
		}
	}
	return messages
}
