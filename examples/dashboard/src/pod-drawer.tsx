import { useEffect, useRef, useState } from 'react';
import { DeletePod, type PodRow } from '../../../client/generated.ts';
import { useActions } from './actions.tsx';
import type { Api } from './api.ts';
import { Confirm } from './confirm.tsx';
import { PodEvents } from './pod-events.tsx';
import { PodLogs } from './pod-logs.tsx';
import { PodOverview } from './pod-overview.tsx';
import { Icon, ICONS, Pill } from './small-parts.tsx';
import { HEALTH_TONE } from './tone.ts';

const VIEWS = ['Overview', 'Events', 'Logs'] as const;

export function PodDrawer({
  pod,
  gone,
  api,
  agentId,
  close,
}: {
  readonly pod: PodRow;
  /** It was there, and is no longer. */
  readonly gone: boolean;
  readonly api: Api;
  readonly agentId: string;
  readonly close: () => void;
}) {
  const [view, setView] = useState<(typeof VIEWS)[number]>('Overview');
  const [deleting, setDeleting] = useState(false);
  const actions = useActions();
  const drawer = useRef<HTMLElement>(null);
  const { name, namespace } = pod.metadata;
  const place = { agentId, namespace: namespace ?? '', name };

  useEffect(() => {
    const opener = document.activeElement;
    drawer.current?.focus();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, [pod.id]);

  const remove = () => actions.run(`${name} is being deleted.`, () => api.ask(DeletePod, { ...place, uid: pod.id }));

  return (
    <aside
      className="drawer"
      ref={drawer}
      tabIndex={-1}
      aria-label={`Pod ${name}`}
      onKeyDown={({ key }) => key === 'Escape' && !deleting && close()}
    >
      <header>
        <div>
          <h2>{name}</h2>
          {gone ? <Pill tone="idle">Gone</Pill> : <Pill tone={HEALTH_TONE[pod.health.level]}>{pod.displayStatus}</Pill>}
        </div>
        <button type="button" className="quiet danger" disabled={gone} onClick={() => setDeleting(true)}>
          <Icon path={ICONS.trash} /> Delete
        </button>
        <button type="button" className="quiet" aria-label="Close" onClick={close}>
          <Icon path={ICONS.close} />
        </button>
      </header>
      <div className="tabs" role="tablist" aria-label="Of this pod">
        {VIEWS.map((each) => (
          <button key={each} type="button" role="tab" aria-selected={view === each} onClick={() => setView(each)}>
            {each}
          </button>
        ))}
      </div>
      <div className="drawer-body" role="tabpanel" aria-label={view}>
        {view === 'Overview' && <PodOverview pod={pod} />}
        {view === 'Events' && <PodEvents key={pod.id} pod={pod} api={api} agentId={agentId} />}
        {view === 'Logs' && <PodLogs key={pod.id} pod={pod} api={api} agentId={agentId} />}
      </div>
      {deleting && (
        <Confirm title={`Delete ${name}?`} action="Delete pod" onConfirm={remove} onClose={() => setDeleting(false)}>
          <p>Its containers are stopped. If a controller owns it, another pod takes its place.</p>
        </Confirm>
      )}
    </aside>
  );
}
