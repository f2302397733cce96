import { useMemo } from 'react';
import type { ServiceRow } from '../../../client/generated.ts';
import { byName } from './by-name.ts';
import { Filtered } from './filter.tsx';
import { Age } from './small-parts.tsx';
import { Table, type Column } from './table.tsx';
import { HEALTH_TONE } from './tone.ts';

const COLUMNS: readonly Column<ServiceRow>[] = [
  { title: 'Name', kind: 'name', cell: ({ metadata }) => metadata.name },
  { title: 'Namespace', cell: ({ metadata }) => metadata.namespace },
  { title: 'Type', cell: ({ type }) => type },
  { title: 'Cluster IP', kind: 'code', cell: ({ clusterIP }) => clusterIP ?? '–' },
  { title: 'External', kind: 'code', cell: ({ externalIPs }) => externalIPs.join(', ') || '–' },
  { title: 'Ports', kind: 'code', cell: ({ ports }) => ports.map(({ text }) => text).join(', ') || '–' },
  { title: 'Age', kind: 'number', cell: ({ metadata }) => <Age since={metadata.creationTimestamp} /> },
];

export function Services({
  services,
  showNamespace,
}: {
  readonly services: readonly ServiceRow[];
  readonly showNamespace: boolean;
}) {
  const sorted = useMemo(() => byName(services), [services]);
  const columns = useMemo(() => COLUMNS.filter(({ title }) => showNamespace || title !== 'Namespace'), [showNamespace]);
  return (
    <Filtered
      items={sorted}
      noun="services"
      groupOf={({ type, health }) => ({ name: type, tone: HEALTH_TONE[health.level] })}
      textOf={({ metadata, type, ports }) => `${metadata.name} ${type} ${ports.map(({ text }) => text).join(' ')}`}
    >
      {(found) => <Table label="Services" items={found} columns={columns} />}
    </Filtered>
  );
}
