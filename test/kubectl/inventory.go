package main

import "sigs.k8s.io/cli-utils/pkg/object"

// An inventory id taken apart; only `error` is there for one that is refused.
type inventoryRow struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Error     string `json:"error,omitempty"`
}

func inventory() []inventoryRow {
	var ids []string
	read("inventory.json", &ids)
	rows := make([]inventoryRow, 0, len(ids))
	for _, id := range ids {
		parsed, err := object.ParseObjMetadata(id)
		if err != nil {
			rows = append(rows, inventoryRow{Error: err.Error()})
			continue
		}
		rows = append(rows, inventoryRow{
			parsed.Namespace, parsed.Name, parsed.GroupKind.Group, parsed.GroupKind.Kind, "",
		})
	}
	return rows
}
