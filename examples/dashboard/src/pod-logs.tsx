import { useEffect, useRef, useState } from 'react';
import { liveWith } from '../../../client/index.ts';
import { LiveLogs, type LiveLogsData, type PodRow } from '../../../client/generated.ts';
import type { Api } from './api.ts';
import { Failure, Notice, Shown } from './notice.tsx';
import { useLive } from './use-live.ts';

type Batch = LiveLogsData['k8sLogs'];

interface Log {
  readonly lines: Batch['lines'];
  readonly skipped: number;
  readonly problem: string | undefined;
}

/** A page is no archive: the oldest go. */
const KEPT_LINES = 2_000;
const TAIL_LINES = 500;
/** So near the end that whoever reads is following. */
const FOLLOWING_PX = 40;

export function PodLogs({ pod, api, agentId }: { readonly pod: PodRow; readonly api: Api; readonly agentId: string }) {
  const names = pod.containers.map(({ name }) => name);
  const [chosen, choose] = useState(() => pod.containers.find(({ type }) => type === 'REGULAR')?.name ?? names[0]);
  const { state } = useLive(`${api.key} ${agentId} ${pod.id} ${chosen}`, () =>
    liveWith(
      api.subscribe,
      LiveLogs,
      {
        agentId,
        namespace: pod.metadata.namespace ?? '',
        podName: pod.metadata.name,
        containerName: chosen ?? null,
        tailLines: TAIL_LINES,
      },
      { initial: EMPTY, fold: append, mayEnd: true },
    ),
  );
  return (
    <div className="logs">
      <label>
        Container{' '}
        <select value={chosen} onChange={({ target }) => choose(target.value)}>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Shown state={state}>
        {(log) => (
          <>
            <Lines log={log} />
            {state?.status === 'ended' && <p className="muted">{log.problem ?? 'The container writes no more.'}</p>}
            {state?.status === 'failed' && state.error && <Failure error={state.error} />}
          </>
        )}
      </Shown>
    </div>
  );
}

const EMPTY: Log = { lines: [], skipped: 0, problem: undefined };

/** After a reconnect the server starts at the tail again, with number 1: what was shown is replaced. */
function append(log: Log, { lines, skipped, error }: Batch): Log {
  const startsOver = (lines[0]?.number ?? Number.POSITIVE_INFINITY) <= (log.lines.at(-1)?.number ?? 0);
  return {
    lines: [...(startsOver ? [] : log.lines), ...lines].slice(-KEPT_LINES),
    skipped: log.skipped + skipped,
    problem: error ?? undefined,
  };
}

function Lines({ log: { lines, skipped } }: { readonly log: Log }) {
  const frame = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  useEffect(() => {
    if (following.current) frame.current?.scrollTo({ top: frame.current.scrollHeight });
  }, [lines]);
  if (lines.length === 0) return <Notice title="It has written nothing yet" />;
  return (
    <>
      {skipped > 0 && <p className="muted">{skipped} lines came too fast and are left out.</p>}
      <pre
        ref={frame}
        tabIndex={0}
        aria-label="Log"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          following.current = scrollHeight - scrollTop - clientHeight < FOLLOWING_PX;
        }}
      >
        {lines.map(({ number, content }) => (
          <code key={number}>{`${content}\n`}</code>
        ))}
      </pre>
    </>
  );
}
