import type { Revision } from '../../pubsub/feed.ts';

/**
 * How far somebody in a group is: a revision that the group has read to, and which of its readings that was. Offsets
 * cannot tell what came first once a feed has crossed over to another line, where they are counted anew; readings can.
 */
export interface Place extends Revision {
  readonly reading: number;
}
