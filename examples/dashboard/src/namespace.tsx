import { useRef, useState, type KeyboardEvent } from 'react';
import { live, type List, type LiveState } from '../../../client/index.ts';
import {
  LiveDeployments,
  LiveHelmReleases,
  LiveKustomizations,
  LivePods,
  LiveServices,
} from '../../../client/generated.ts';
import type { PodRow } from '../../../client/generated.ts';
import type { Api } from './api.ts';
import { Flux, type FluxRow } from './flux.tsx';
import { Notice, Shown } from './notice.tsx';
import { PodDrawer } from './pod-drawer.tsx';
import { Pods } from './pods.tsx';
import { TABS, type Selection, type Tab } from './selection.ts';
import { Services } from './services.tsx';
import { words } from './tone.ts';
import { useLive } from './use-live.ts';
import { Workloads } from './workloads.tsx';

/** Everything of one namespace, or of all, for one viewer. */
export function Namespace({
  api,
  selection,
  select,
}: {
  readonly api: Api;
  readonly selection: Selection;
  readonly select: (change: Partial<Selection>) => void;
}) {
  const { agentId, namespace, tab } = selection;
  const scope = { agentId, namespace: namespace || null };
  const pods = useLive('pods', () => live(api.subscribe, LivePods, scope)).state;
  const deployments = useLive('deployments', () => live(api.subscribe, LiveDeployments, scope)).state;
  const services = useLive('services', () => live(api.subscribe, LiveServices, scope)).state;
  const kustomizations = useLive('kustomizations', () => live(api.subscribe, LiveKustomizations, scope)).state;
  const releases = useLive('releases', () => live(api.subscribe, LiveHelmReleases, scope)).state;
  const flux = both<FluxRow>(kustomizations, releases);
  const [opened, setOpened] = useState<string>();
  const shownPod = usePod(pods?.value, opened);
  const showNamespace = namespace === '';
  const counts: Record<Tab, number | undefined> = {
    pods: countOf(pods),
    workloads: countOf(deployments),
    services: countOf(services),
    flux: countOf(flux),
  };
  return (
    <main>
      <Tabs tab={tab} counts={counts} choose={(chosen) => select({ tab: chosen })} />
      <div className="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'pods' && (
          <Listed state={pods} noun="pods">
            {(items) => <Pods pods={items} selectedId={opened} open={setOpened} showNamespace={showNamespace} />}
          </Listed>
        )}
        {tab === 'workloads' && (
          <Listed state={deployments} noun="deployments">
            {(items) => <Workloads deployments={items} showNamespace={showNamespace} />}
          </Listed>
        )}
        {tab === 'services' && (
          <Listed state={services} noun="services">
            {(items) => <Services services={items} showNamespace={showNamespace} />}
          </Listed>
        )}
        {tab === 'flux' && (
          <Listed state={flux} noun="Flux resources">
            {(items) => <Flux objects={items} showNamespace={showNamespace} />}
          </Listed>
        )}
      </div>
      {shownPod && <PodDrawer {...shownPod} api={api} agentId={agentId} close={() => setOpened(undefined)} />}
    </main>
  );
}

interface Items<Item> {
  readonly items: readonly Item[];
}

function Listed<Item>({
  state,
  noun,
  children,
}: {
  readonly state: LiveState<Items<Item>> | undefined;
  readonly noun: string;
  readonly children: (items: readonly Item[]) => React.ReactNode;
}) {
  return (
    <Shown state={state}>
      {({ items }) => (items.length === 0 ? <Notice title={`There are no ${noun} here`} /> : children(items))}
    </Shown>
  );
}

function Tabs({
  tab,
  counts,
  choose,
}: {
  readonly tab: Tab;
  readonly counts: Readonly<Record<Tab, number | undefined>>;
  readonly choose: (tab: Tab) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const move = ({ key }: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return;
    const next = TABS.at((TABS.indexOf(tab) + step) % TABS.length) ?? tab;
    choose(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label="Kinds" ref={list} onKeyDown={move}>
      {TABS.map((each) => (
        <button
          key={each}
          id={`tab-${each}`}
          type="button"
          role="tab"
          aria-selected={tab === each}
          aria-controls="panel"
          tabIndex={tab === each ? 0 : -1}
          onClick={() => choose(each)}
        >
          {words(each)} <b>{counts[each] ?? ''}</b>
        </button>
      ))}
    </div>
  );
}

/** A pod that is open stays open when it goes: what happened to it is what one wants to read. */
function usePod(list: List<PodRow> | undefined, id: string | undefined) {
  const last = useRef<PodRow>(undefined);
  const pod = id === undefined ? undefined : list?.byId.get(id);
  if (pod) last.current = pod;
  if (id === undefined || last.current?.id !== id) return undefined;
  return { pod: last.current, gone: !pod };
}

function countOf<Item>(state: LiveState<Items<Item>> | undefined): number | undefined {
  return state?.loaded && state.status !== 'failed' ? state.value.items.length : undefined;
}

/** Two lists as one: as far as the less lucky of them. */
function both<Item>(
  left: LiveState<Items<Item>> | undefined,
  right: LiveState<Items<Item>> | undefined,
): LiveState<Items<Item>> | undefined {
  if (!left || !right) return undefined;
  const worse = left.error || !left.loaded ? left : right;
  return { ...worse, value: { items: [...left.value.items, ...right.value.items] } };
}
