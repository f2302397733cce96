import { useEffect, useState, type ReactNode } from 'react';
import type { KascadeError, LiveState } from '../../../client/index.ts';
import { Countdown } from './small-parts.tsx';

const PATIENCE_MS = 200;

/** What takes the place of content that is not there, and says why. */
export function Notice({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="notice" role="status">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** Not before a moment has passed: what comes at once needs no announcement, and would flicker. */
export function Loading() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="loading" role="status" data-shown={shown}>
      <span className="visually-hidden">Loading</span>
      {[72, 58, 66, 44].map((width) => (
        <i key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Nobody is signed in',
  GITLAB_UNAUTHORIZED: 'GitLab does not accept this token for this agent',
  FORBIDDEN: 'You may not see this',
  ACCESS_REVOKED: 'You may no longer see this',
  NOT_FOUND: 'There is no such thing in this cluster',
  AGENT_NOT_CONNECTED: 'The agent is not connected',
  NETWORK: 'Kascade cannot be reached',
};

export function Failure({ error, retry }: { readonly error: KascadeError; readonly retry?: ReactNode }) {
  return (
    <Notice title={TITLES[error.code] ?? 'That did not work'}>
      <p>{error.message}</p>
      {error.remedy !== undefined && <p className="muted">{error.remedy}</p>}
      <p className="muted code">{error.code}</p>
      {retry}
    </Notice>
  );
}

const WITHDRAWN = new Set(['FORBIDDEN', 'ACCESS_REVOKED', 'UNAUTHENTICATED', 'GITLAB_UNAUTHORIZED']);

/** Content while there is some; otherwise what is known of why there is none. */
export function Shown<Value>({
  state,
  children,
}: {
  readonly state: LiveState<Value> | undefined;
  readonly children: (value: Value) => ReactNode;
}) {
  if (!state) return <Loading />;
  const { error, loaded, status, retryAt, value } = state;
  const withdrawn = error && status === 'failed' && WITHDRAWN.has(error.code);
  if (loaded && !withdrawn) return children(value);
  if (!error) return <Loading />;
  const retry = retryAt !== undefined && (
    <p className="muted">
      Trying again <Countdown until={retryAt} />
    </p>
  );
  return <Failure error={error} retry={retry} />;
}
