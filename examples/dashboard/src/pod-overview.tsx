import type { PodRow } from '../../../client/generated.ts';
import { Age, Pill } from './small-parts.tsx';
import { words } from './tone.ts';

export function PodOverview({ pod }: { readonly pod: PodRow }) {
  const { metadata, reason, nodeName, podIP, containers } = pod;
  return (
    <>
      {reason !== null && <p className="reason">{reason}</p>}
      <dl>
        <dt>Namespace</dt>
        <dd>{metadata.namespace}</dd>
        <dt>Node</dt>
        <dd>{nodeName ?? 'not scheduled'}</dd>
        <dt>IP</dt>
        <dd className="code">{podIP ?? '–'}</dd>
        <dt>Age</dt>
        <dd>
          <Age since={metadata.creationTimestamp} />
        </dd>
      </dl>
      <h3>Containers</h3>
      <ul className="containers">
        {containers.map(({ name, type, image, state, reason: why, ready, restarts }) => (
          <li key={name}>
            <div>
              <strong>{name}</strong> {type !== 'REGULAR' && <span className="muted">{words(type)}</span>}
              <Pill tone={ready ? 'good' : state === 'TERMINATED' && why === 'Completed' ? 'idle' : 'bad'}>
                {why ?? words(state)}
              </Pill>
            </div>
            <p className="code muted">{image}</p>
            {restarts > 0 && (
              <p className="muted">
                {restarts} {restarts === 1 ? 'restart' : 'restarts'}
              </p>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
