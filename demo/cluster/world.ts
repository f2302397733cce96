import type { PodLogs } from '../apiserver/pod-logs.ts';
import type { Store } from '../apiserver/store.ts';
import type { Dice } from './dice.ts';
import type { EventRecorder } from './events.ts';
import type { Pace } from './pace.ts';

/** What every controller works with. */
export interface World {
  readonly store: Store;
  readonly logs: PodLogs;
  readonly pace: Pace;
  readonly dice: Dice;
  readonly events: EventRecorder;
}
