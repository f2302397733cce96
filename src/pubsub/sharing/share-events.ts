import type { CounterLabels, GaugeReading } from '../../metric-catalogue.ts';

/** What happens to a share, for metrics and logs. */
export type ShareEvent = CounterLabels<'sharing_events'>['event'];

/** What a follower had to do beyond following. */
export type FollowerEvent = Extract<ShareEvent, 'repaired' | 'loaded' | 'crossed' | 'started over' | 'fenced'>;

/** As what a share is counted: who gets ready to lead still follows. */
export type ShareRole = keyof GaugeReading<'shared_feeds'>;
