import { useMemo } from 'react';
import { RestartWorkload, type DeploymentRow } from '../../../client/generated.ts';
import { useActions, type Actions } from './actions.tsx';
import { byName } from './by-name.ts';
import { Filtered } from './filter.tsx';
import { Age, Icon, ICONS, Pill } from './small-parts.tsx';
import { Table, type Column } from './table.tsx';
import { HEALTH_TONE, words } from './tone.ts';

export function Workloads({
  deployments,
  showNamespace,
}: {
  readonly deployments: readonly DeploymentRow[];
  readonly showNamespace: boolean;
}) {
  const actions = useActions();
  const columns = useMemo(() => columnsFor(actions, showNamespace), [actions, showNamespace]);
  const sorted = useMemo(() => byName(deployments), [deployments]);
  return (
    <Filtered
      items={sorted}
      noun="deployments"
      groupOf={({ health }) => ({ name: words(health.level), tone: HEALTH_TONE[health.level] })}
      textOf={({ metadata, images }) => `${metadata.name} ${images.join(' ')}`}
    >
      {(found) => <Table label="Deployments" items={found} columns={columns} />}
    </Filtered>
  );
}

function columnsFor(actions: Actions, showNamespace: boolean): readonly Column<DeploymentRow>[] {
  const namespace: Column<DeploymentRow> = { title: 'Namespace', cell: ({ metadata }) => metadata.namespace };
  return [
    { title: 'Name', kind: 'name', cell: ({ metadata }) => metadata.name },
    ...(showNamespace ? [namespace] : []),
    {
      title: 'Health',
      kind: 'status',
      cell: ({ health }) => (
        <span title={health.message ?? ''}>
          <Pill tone={HEALTH_TONE[health.level]}>{words(health.level)}</Pill>
        </span>
      ),
    },
    { title: 'Ready', kind: 'number', cell: ({ ready }) => `${ready.ready}/${ready.total}` },
    { title: 'Up to date', kind: 'number', cell: ({ upToDate }) => upToDate },
    { title: 'Age', kind: 'number', cell: ({ metadata }) => <Age since={metadata.creationTimestamp} /> },
    { title: 'Images', kind: 'code', cell: ({ images }) => images.join(', ') },
    {
      title: 'Actions',
      kind: 'actions',
      cell: ({ id, metadata: { name, namespace } }) => (
        <button
          type="button"
          className="quiet"
          aria-label={`Restart ${name}`}
          title="Restart"
          onClick={() => {
            const target = { kind: 'Deployment', namespace: namespace ?? '', name, uid: id };
            void actions.run(`${name} is being restarted.`, (api, agentId) =>
              api.ask(RestartWorkload, { agentId, target }),
            );
          }}
        >
          <Icon path={ICONS.retry} />
        </button>
      ),
    },
  ];
}
