import { useState } from 'react';
import type { LiveState } from '../../../client/index.ts';
import { Reconnect, type Connection } from '../../../client/generated.ts';
import { useActions } from './actions.tsx';
import { describeConnection, type Description } from './connection.ts';
import { Age, Countdown, Icon, ICONS, Pill } from './small-parts.tsx';
import { CONNECTION_TONE, words } from './tone.ts';
import type { Live } from './use-live.ts';

/** How well the page follows the cluster; pressed, it says where on the way it is stuck, and when it is tried again. */
export function ConnectionBadge({
  live,
  namespace,
}: {
  readonly live: Live<Connection | undefined>;
  readonly namespace: string;
}) {
  const [open, setOpen] = useState(false);
  const actions = useActions();
  const description = describeConnection(live.state);
  const reconnect = () => {
    live.retryNow();
    if (live.state?.status !== 'live') return;
    void actions.run('Trying again.', (api, agentId) => api.ask(Reconnect, { agentId, namespace: namespace || null }));
  };
  return (
    <div className="connection" onKeyDown={({ key }) => key === 'Escape' && setOpen(false)}>
      <button
        type="button"
        className="badge"
        data-tone={description.tone}
        aria-expanded={open}
        aria-label={`Connection: ${description.text}`}
        onClick={() => setOpen(!open)}
      >
        <i aria-hidden="true" />
        {description.text}
        {description.retryAt !== undefined && (
          <span className="muted">
            <Countdown until={description.retryAt} />
          </span>
        )}
      </button>
      {description.tone === 'bad' && (
        <button type="button" onClick={reconnect}>
          <Icon path={ICONS.retry} /> Reconnect
        </button>
      )}
      {open && <Details description={description} state={live.state} />}
    </div>
  );
}

function Details({
  description,
  state,
}: {
  readonly description: Description;
  readonly state: LiveState<Connection | undefined> | undefined;
}) {
  const resources = state?.value?.resources ?? [];
  return (
    <section className="connection-details" aria-label="Connection">
      <ol className="hops">
        {description.hops.map(({ name, tone, reason }) => (
          <li key={name} data-tone={tone} title={reason ?? ''}>
            <i aria-hidden="true" />
            {name}
            <span className="visually-hidden">{tone}</span>
          </li>
        ))}
      </ol>
      {description.message !== undefined && <p>{description.message}</p>}
      <ul className="watches">
        {resources.map(({ resource, status, freshAsOf, attempts, nextRetryAt, transport, reason }) => (
          <li key={resource}>
            <span className="code">{resource}</span>
            <Pill tone={CONNECTION_TONE[status]}>{words(reason ?? status)}</Pill>
            <span className="muted">
              {transport !== null && `${words(transport)}, `}
              {freshAsOf !== null && (
                <>
                  as of <Age since={freshAsOf} /> ago
                </>
              )}
              {attempts > 0 && `, ${attempts} failed ${attempts === 1 ? 'try' : 'tries'}`}
              {nextRetryAt !== null && (
                <>
                  , next <Countdown until={Date.parse(nextRetryAt)} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
