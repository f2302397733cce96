import type { KubernetesObject } from '../kubernetes/object.ts';
import { hasFailed } from './failing.ts';
import type { Update } from './updates.ts';

/** How one object is now. */
export interface ObjectUpdate {
  readonly object: KubernetesObject | undefined;
  readonly freshAsOf: number;
}

/**
 * What an update of a collection, narrowed down to one name, says about that object: whatever came is the object, and
 * when something only went there is none any more. So it holds through deletion and recreation.
 */
export function objectUpdate({ upserted, freshAsOf }: Update): ObjectUpdate {
  return { object: upserted[0], freshAsOf };
}

/** The updates of one object. */
export class ObjectUpdates implements AsyncIterableIterator<ObjectUpdate, undefined> {
  /** Those of the collection that it is made of, narrowed down to the object's name. */
  readonly updates: AsyncIterableIterator<Update>;
  readonly #onObject: (object: KubernetesObject) => void;
  /** Which state was sent last; '' for none at all. */
  #sent: string | undefined;

  /** `onObject` is called with each object before it is handed out. */
  constructor(updates: AsyncIterableIterator<Update>, onObject: (object: KubernetesObject) => void) {
    this.updates = updates;
    this.#onObject = onObject;
  }

  async next(): Promise<IteratorResult<ObjectUpdate, undefined>> {
    for (;;) {
      const { value, done } = await this.updates.next();
      if (done === true) return { done: true, value: undefined };
      const message = objectUpdate(value);
      const state = stateOf(message.object);
      // A watch that had to start over brings everything again.
      if (state === this.#sent) continue;
      this.#sent = state;
      if (message.object !== undefined) this.#onObject(message.object);
      return { done: false, value: message };
    }
  }

  get hasFailed(): boolean {
    return hasFailed(this.updates);
  }

  async return(): Promise<IteratorResult<ObjectUpdate, undefined>> {
    await this.updates.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function stateOf(object: KubernetesObject | undefined): string {
  return object === undefined ? '' : `${object.metadata.uid} ${object.metadata.resourceVersion}`;
}
