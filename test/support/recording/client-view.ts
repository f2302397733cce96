import type { SeenPod, Update } from './recording.ts';

/** What a client shows: the contract's way to apply updates. */
export class ClientView {
  readonly pods = new Map<string, SeenPod>();

  apply({ type, upserted, removed }: Pick<Update, 'type' | 'upserted' | 'removed'>): void {
    if (type === 'SNAPSHOT') this.pods.clear();
    for (const uid of removed) this.pods.delete(uid);
    for (const pod of upserted) this.pods.set(pod.uid, pod);
  }
}
