interface Named {
  readonly metadata: { readonly name: string; readonly namespace: string | null };
}

export function byName<Item extends Named>(items: readonly Item[]): Item[] {
  return items.toSorted(
    ({ metadata: left }, { metadata: right }) =>
      (left.namespace ?? '').localeCompare(right.namespace ?? '') ||
      left.name.localeCompare(right.name, undefined, { numeric: true }),
  );
}
