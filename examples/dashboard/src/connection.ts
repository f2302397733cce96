import type { LiveState } from '../../../client/index.ts';
import type { Connection } from '../../../client/generated.ts';
import { CONNECTION_TONE, type Tone } from './tone.ts';

export interface Description {
  readonly tone: Tone;
  readonly text: string;
  readonly message: string | undefined;
  readonly retryAt: number | undefined;
  /** The stations from this page to the cluster. */
  readonly hops: readonly { readonly name: string; readonly tone: Tone; readonly reason: string | null }[];
}

const UNKNOWN_BEHIND = ['kas', 'agent', 'cluster'].map((name) => ({ name, tone: 'idle' as const, reason: null }));

/** One truth of two: how this page reaches Kascade, and how Kascade reaches the cluster. */
export function describeConnection(state: LiveState<Connection | undefined> | undefined): Description {
  if (state?.status === 'live' && state.value) return ofCluster(state.value);
  const lost = state?.error !== undefined;
  return {
    tone: lost ? 'bad' : 'busy',
    text: lost ? (state.error.code === 'NETWORK' ? 'Offline' : 'No access') : 'Connecting',
    message: lost ? `${state.error.message} ${state.error.remedy ?? ''}` : undefined,
    retryAt: state?.retryAt,
    hops: [
      { name: 'page', tone: 'good', reason: null },
      { name: 'server', tone: lost ? 'bad' : 'busy', reason: null },
      ...UNKNOWN_BEHIND,
    ],
  };
}

function ofCluster({ status, reason, resources }: Connection): Description {
  const worst =
    resources.find((each) => each.status === 'DISCONNECTED') ?? resources.find((each) => each.status === status);
  const idle = reason === 'IDLE';
  return {
    tone: idle ? 'idle' : CONNECTION_TONE[status],
    text: idle ? 'Idle' : { CONNECTED: 'Synced', CONNECTING: 'Updating', DISCONNECTED: 'Disconnected' }[status],
    message: worst?.message ?? undefined,
    retryAt: worst?.nextRetryAt ? Date.parse(worst.nextRetryAt) : undefined,
    hops: [
      { name: 'page', tone: 'good', reason: null },
      ...(worst?.hops ?? []).map((hop) => ({ name: hop.name, tone: CONNECTION_TONE[hop.status], reason: hop.reason })),
    ],
  };
}
