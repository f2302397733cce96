package main

import (
	"encoding/json"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	printerstorage "k8s.io/kubernetes/pkg/printers/storage"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// A workload as others see it: kubectl's columns by their names, kstatus, and `kubectl rollout status`.
// The last is "done", "waiting" or its error; each is absent for kinds that do not have it.
type workloadRow struct {
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	Cells   map[string]string `json:"cells,omitempty"`
	Status  string            `json:"status"`
	Reason  string            `json:"reason"`
	Rollout string            `json:"rollout,omitempty"`
}

func workloads(convertor printerstorage.TableConvertor) []workloadRow {
	var objects []json.RawMessage
	read("workloads.json", &objects)
	rows := make([]workloadRow, 0, len(objects))
	for _, raw := range objects {
		object := &unstructured.Unstructured{}
		check(object.UnmarshalJSON(raw))
		result, err := status.Compute(object)
		check(err)
		row := workloadRow{Name: object.GetName(), Kind: object.GetKind(), Status: string(result.Status)}
		if len(result.Conditions) > 0 {
			row.Reason = result.Conditions[0].Reason
		}
		row.Cells = workloadCells(convertor, raw, object.GroupVersionKind())
		row.Rollout = rolloutStatus(object)
		rows = append(rows, row)
	}
	return rows
}

// workloadCells prints with defaults applied, as the API server does when it reads an object: a workload without
// `replicas` has one.
func workloadCells(convertor printerstorage.TableConvertor, raw []byte, kind schema.GroupVersionKind) map[string]string {
	internal := map[string]runtime.Object{
		"Deployment":  &apps.Deployment{},
		"StatefulSet": &apps.StatefulSet{},
		"ReplicaSet":  &apps.ReplicaSet{},
		"DaemonSet":   &apps.DaemonSet{},
		"Job":         &batch.Job{},
		"CronJob":     &batch.CronJob{},
	}[kind.Kind]
	if internal == nil {
		return nil
	}
	object, err := legacyscheme.Scheme.New(kind)
	check(err)
	check(json.Unmarshal(raw, object))
	legacyscheme.Scheme.Default(object)
	cells := row(convertor, object, internal)
	delete(cells, "Age")
	if cells["Last Schedule"] != "<none>" {
		delete(cells, "Last Schedule") // it is an age, too
	}
	if job, isJob := object.(*batchv1.Job); isJob && job.Status.CompletionTime == nil && job.Status.StartTime != nil {
		delete(cells, "Duration") // it runs on
	}
	return cells
}

func rolloutStatus(object *unstructured.Unstructured) string {
	viewer, err := polymorphichelpers.StatusViewerFor(object.GroupVersionKind().GroupKind())
	if err != nil {
		return ""
	}
	_, done, err := viewer.Status(object, 0)
	switch {
	case err != nil:
		return err.Error()
	case done:
		return "done"
	default:
		return "waiting"
	}
}
