import { useMemo } from 'react';
import type { PodRow } from '../../../client/generated.ts';
import { byName } from './by-name.ts';
import { Filtered } from './filter.tsx';
import { Age, Pill } from './small-parts.tsx';
import { Table, type Column } from './table.tsx';
import { HEALTH_TONE } from './tone.ts';

export function Pods({
  pods,
  selectedId,
  open,
  showNamespace,
}: {
  readonly pods: readonly PodRow[];
  readonly selectedId: string | undefined;
  readonly open: (id: string) => void;
  readonly showNamespace: boolean;
}) {
  const columns = useMemo(() => columnsFor(open, showNamespace), [open, showNamespace]);
  const sorted = useMemo(() => byName(pods), [pods]);
  return (
    <Filtered
      items={sorted}
      noun="pods"
      groupOf={({ displayStatus, health }) => ({ name: displayStatus, tone: HEALTH_TONE[health.level] })}
      textOf={({ metadata, displayStatus, nodeName }) => `${metadata.name} ${displayStatus} ${nodeName ?? ''}`}
    >
      {(found) => <Table label="Pods" items={found} columns={columns} selectedId={selectedId} />}
    </Filtered>
  );
}

function columnsFor(open: (id: string) => void, showNamespace: boolean): readonly Column<PodRow>[] {
  const namespace: Column<PodRow> = { title: 'Namespace', cell: ({ metadata }) => metadata.namespace };
  return [
    {
      title: 'Name',
      kind: 'name',
      cell: ({ id, metadata }) => (
        <button type="button" className="link" onClick={() => open(id)}>
          {metadata.name}
        </button>
      ),
    },
    ...(showNamespace ? [namespace] : []),
    {
      title: 'Status',
      kind: 'status',
      cell: ({ displayStatus, health }) => <Pill tone={HEALTH_TONE[health.level]}>{displayStatus}</Pill>,
    },
    {
      title: 'Ready',
      kind: 'number',
      cell: ({ ready, health }) => (
        <span data-complete={ready.ready === ready.total || health.level === 'HEALTHY'}>
          {ready.ready}/{ready.total}
        </span>
      ),
    },
    {
      title: 'Restarts',
      kind: 'number',
      cell: ({ restarts, lastRestartAt }) => (
        <>
          {restarts}
          {lastRestartAt !== null && (
            <span className="muted">
              {' '}
              (<Age since={lastRestartAt} /> ago)
            </span>
          )}
        </>
      ),
    },
    { title: 'Age', kind: 'number', cell: ({ metadata }) => <Age since={metadata.creationTimestamp} /> },
    { title: 'Why', kind: 'text', cell: ({ reason }) => <span title={reason ?? ''}>{reason}</span> },
  ];
}
