import { useMemo } from 'react';
import { ReconcileFlux, ResumeFlux, SuspendFlux } from '../../../client/generated.ts';
import type { HelmReleaseRow, KustomizationRow } from '../../../client/generated.ts';
import { useActions, type Actions } from './actions.tsx';
import { byName } from './by-name.ts';
import { Filtered } from './filter.tsx';
import { Icon, ICONS, Pill } from './small-parts.tsx';
import { Table, type Column } from './table.tsx';
import { SYNC_TONE, words } from './tone.ts';

export type FluxRow = KustomizationRow | HelmReleaseRow;

export function Flux({
  objects,
  showNamespace,
}: {
  readonly objects: readonly FluxRow[];
  readonly showNamespace: boolean;
}) {
  const actions = useActions();
  const columns = useMemo(() => columnsFor(actions, showNamespace), [actions, showNamespace]);
  const sorted = useMemo(() => byName(objects), [objects]);
  return (
    <Filtered
      items={sorted}
      noun="Flux resources"
      groupOf={({ syncStatus }) => ({ name: words(syncStatus), tone: SYNC_TONE[syncStatus] })}
      textOf={({ metadata, kind, lastAppliedRevision }) => `${metadata.name} ${kind} ${lastAppliedRevision ?? ''}`}
    >
      {(found) => <Table label="Flux" items={found} columns={columns} />}
    </Filtered>
  );
}

function columnsFor(actions: Actions, showNamespace: boolean): readonly Column<FluxRow>[] {
  const namespace: Column<FluxRow> = { title: 'Namespace', cell: ({ metadata }) => metadata.namespace };
  return [
    { title: 'Name', kind: 'name', cell: ({ metadata }) => metadata.name },
    { title: 'Kind', cell: ({ kind }) => kind },
    ...(showNamespace ? [namespace] : []),
    {
      title: 'Sync',
      kind: 'status',
      cell: ({ syncStatus }) => <Pill tone={SYNC_TONE[syncStatus]}>{words(syncStatus)}</Pill>,
    },
    { title: 'Revision', kind: 'code', cell: ({ lastAppliedRevision }) => shortRevision(lastAppliedRevision) },
    { title: 'Message', cell: (row) => <span title={messageOf(row)}>{messageOf(row)}</span> },
    { title: 'Actions', kind: 'actions', cell: (row) => <FluxActions row={row} actions={actions} /> },
  ];
}

function FluxActions({ row, actions }: { readonly row: FluxRow; readonly actions: Actions }) {
  const { name, namespace } = row.metadata;
  const kind = row.kind === 'HelmRelease' ? ('HELM_RELEASE' as const) : ('KUSTOMIZATION' as const);
  const target = { kind, name, namespace: namespace ?? '', uid: row.id };
  return (
    <>
      <button
        type="button"
        className="quiet"
        aria-label={`Reconcile ${name}`}
        title="Reconcile"
        disabled={row.suspended}
        onClick={() => {
          void actions.run(`${name} is being reconciled.`, (api, agentId) =>
            api.ask(ReconcileFlux, { agentId, target }),
          );
        }}
      >
        <Icon path={ICONS.retry} />
      </button>
      <button
        type="button"
        className="quiet"
        aria-label={`${row.suspended ? 'Resume' : 'Suspend'} ${name}`}
        title={row.suspended ? 'Resume' : 'Suspend'}
        onClick={() => {
          void actions.run(`${name} is ${row.suspended ? 'resumed' : 'suspended'}.`, (api, agentId) =>
            row.suspended ? api.ask(ResumeFlux, { agentId, target }) : api.ask(SuspendFlux, { agentId, target }),
          );
        }}
      >
        <Icon path={row.suspended ? ICONS.play : ICONS.pause} />
      </button>
    </>
  );
}

function messageOf({ suspended, suspendedBy, suspendReason, syncMessage }: FluxRow): string {
  if (!suspended) return syncMessage ?? '';
  const by = suspendedBy === null ? '' : ` by ${suspendedBy}`;
  return `Suspended${by}${suspendReason === null ? '' : `: ${suspendReason}`}`;
}

/** main@sha1:1f2e3d4c5b… → main@1f2e3d4 */
function shortRevision(revision: string | null): string {
  return (revision ?? '–').replace(/sha(?:1|256):([0-9a-f]{7})[0-9a-f]*/, '$1');
}
