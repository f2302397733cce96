import type { Timer } from '../../clock.ts';
import type { Leadership } from './leadership.ts';
import type { OwnWatch } from './own-watch.ts';

/**
 * following: another replica leads, or nobody does and nobody here may.
 * warming: following, with a watch open to go on from the leader, who wants to leave.
 * leading: this replica holds the lease; its watch fills the feed, which is written down for the others.
 * alone: there is no way to the others; its watch fills the feed.
 */
export type Role =
  | { readonly kind: 'following' }
  | { readonly kind: 'warming'; readonly watch: OwnWatch; readonly timer: Timer }
  | { readonly kind: 'leading'; readonly watch: OwnWatch; readonly term: Leadership; readonly giveBack: () => void }
  | { readonly kind: 'alone'; readonly watch: OwnWatch }
  | { readonly kind: 'stopped' };
