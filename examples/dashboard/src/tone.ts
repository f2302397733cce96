import type { FluxSyncStatus, K8sConnectionStatus, K8sHealthLevel } from '../../../client/generated.ts';

/** How good or bad something is; each has a colour and a shape, so that no meaning rests on colour alone. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle';

export const HEALTH_TONE: Readonly<Record<K8sHealthLevel, Tone>> = {
  HEALTHY: 'good',
  PROGRESSING: 'busy',
  DEGRADED: 'bad',
  SUSPENDED: 'idle',
  UNKNOWN: 'idle',
};

export const SYNC_TONE: Readonly<Record<FluxSyncStatus, Tone>> = {
  RECONCILED: 'good',
  RECONCILING: 'busy',
  RECONCILING_WITH_BAD_CONFIG: 'bad',
  STALLED: 'bad',
  FAILED: 'bad',
  SUSPENDED: 'idle',
  UNKNOWN: 'idle',
  UNAVAILABLE: 'idle',
};

export const CONNECTION_TONE: Readonly<Record<K8sConnectionStatus, Tone>> = {
  CONNECTED: 'good',
  CONNECTING: 'busy',
  DISCONNECTED: 'bad',
};

/** RECONCILING_WITH_BAD_CONFIG → Reconciling with bad config */
export function words(constant: string): string {
  const text = constant.toLowerCase().replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
