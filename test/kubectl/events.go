package main

import (
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	api "k8s.io/kubernetes/pkg/apis/core"
	printerstorage "k8s.io/kubernetes/pkg/printers/storage"
)

// events gives kubectl's columns of each event by their names, without those that tell its age now.
func events(convertor printerstorage.TableConvertor) []map[string]string {
	var objects []v1.Event
	read("events.json", &objects)
	rows := make([]map[string]string, 0, len(objects))
	for i := range objects {
		cells := row(convertor, &objects[i], &api.Event{})
		delete(cells, "Last Seen")
		delete(cells, "First Seen")
		rows = append(rows, cells)
	}
	return rows
}

// durations prints time spans that are given in milliseconds.
func durations() []string {
	var spans []int64
	read("durations.json", &spans)
	results := make([]string, 0, len(spans))
	for _, span := range spans {
		results = append(results, duration.HumanDuration(time.Duration(span)*time.Millisecond))
	}
	return results
}
