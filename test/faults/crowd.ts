import { makePod } from '../../demo/apiserver/objects.ts';
import type { Replica } from '../support/processes/replica.ts';
import { RawSocket } from './raw-socket.ts';
import { NAMESPACE, type Stage } from './stage.ts';

/** What rows about clients of one replica have in common. */

const LARGE = 300;

export function theOnly(stage: Stage): Replica {
  const [actor] = stage.actors;
  if (actor === undefined) throw new Error('no replica');
  return actor.replica;
}

export function connect(stage: Stage, user: string): Promise<RawSocket> {
  return RawSocket.open(theOnly(stage).webSocketUrl, { token: stage.allow(user) });
}

export function isAudited(stage: Stage, event: string, user: string): boolean {
  const audits = theOnly(stage).lines.filter((line) => line.includes('"message":"audit"'));
  return audits.some((line) => line.includes(`"event":"${event}"`) && line.includes(`"gitlab:user:${user}"`));
}

/** So much in one pod that a reader who takes nothing has soon filled every buffer on the way. */
export function createLargePods(stage: Stage): void {
  const annotations = { large: 'x'.repeat(20_000) };
  for (let index = 0; index < LARGE; index += 1) {
    stage.store.create(makePod({ name: `large-${index}`, namespace: NAMESPACE, annotations }));
  }
}

/** The first pods in order of their names. */
export function changePods(stage: Stage, count: number, labels: Record<string, string>): void {
  for (const { metadata } of stage.store.list('pods', NAMESPACE).slice(0, count)) {
    stage.store.patch('pods', NAMESPACE, metadata.name, { metadata: { labels } });
  }
}

/** Everything twice is more than sockets and kernel hold. */
export function fillBuffers(stage: Stage): void {
  for (const round of ['one', 'two']) changePods(stage, LARGE, { round });
}
