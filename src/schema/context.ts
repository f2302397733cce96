import type { Gate } from '../access/gate.ts';
import type { Viewer } from '../access/viewer.ts';
import type { Clock } from '../clock.ts';

/** What resolvers ask of the gate. Only its public side, so that a test can stand in for it. */
export type Door = Pick<
  Gate,
  | 'clusters'
  | 'logs'
  | 'actions'
  | 'prometheus'
  | 'attach'
  | 'subscribe'
  | 'get'
  | 'delete'
  | 'connection'
  | 'watchConnection'
  | 'reconnect'
  | 'whoAmI'
  | 'can'
>;

/** What every operation is executed with, whichever transport carries it. */
export interface Context {
  /** The person behind the operation. Throws UNAUTHENTICATED when the request carried no credentials. */
  viewer(): Viewer;
  /** The only way to data. */
  readonly gate: Door;
  readonly clock: Clock;
}
