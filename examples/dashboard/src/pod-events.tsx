import { live } from '../../../client/index.ts';
import { LiveEvents, type EventRow, type PodRow } from '../../../client/generated.ts';
import type { Api } from './api.ts';
import { Notice, Shown } from './notice.tsx';
import { Age } from './small-parts.tsx';
import { useLive } from './use-live.ts';

export function PodEvents({
  pod,
  api,
  agentId,
}: {
  readonly pod: PodRow;
  readonly api: Api;
  readonly agentId: string;
}) {
  const { name, namespace } = pod.metadata;
  const variables = {
    agentId,
    namespace: namespace ?? '',
    involvedObject: { kind: 'Pod', namespace: namespace ?? '', name, uid: pod.id },
  };
  const { state } = useLive(`${api.key} ${agentId} ${pod.id}`, () => live(api.subscribe, LiveEvents, variables));
  return (
    <Shown state={state}>
      {({ items }) => (items.length === 0 ? <Notice title="Nothing was reported" /> : <Events events={items} />)}
    </Shown>
  );
}

function Events({ events }: { readonly events: readonly EventRow[] }) {
  const newestFirst = events.toSorted((left, right) => (right.lastAt ?? '').localeCompare(left.lastAt ?? ''));
  return (
    <ol className="events">
      {newestFirst.map(({ id, type, reason, message, count, lastAt, source }) => (
        <li key={id} data-tone={type === 'Warning' ? 'bad' : 'idle'}>
          <div>
            <strong>{reason}</strong>
            <span className="muted">
              {count > 1 && `${count} × `}
              <Age since={lastAt} /> ago
            </span>
          </div>
          <p>{message}</p>
          <p className="muted">{source.component}</p>
        </li>
      ))}
    </ol>
  );
}
