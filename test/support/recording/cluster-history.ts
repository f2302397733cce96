import { text } from '../../../demo/apiserver/json.ts';
import type { Store } from '../../../demo/apiserver/store.ts';
import type { ApiObject } from '../../../demo/apiserver/object.ts';
import { labelsText, type SeenPod } from './recording.ts';

/** One change of the cluster; `rewound`: everything that follows is another history, which begins empty. */
export type Write =
  | { readonly kind: 'written' | 'deleted'; readonly at: number; readonly pod: SeenPod }
  | { readonly kind: 'rewound'; readonly at: number };

/** Everything that ever happened to the pods of a namespace, in order and dated: the truth that recordings are checked against. */
export class ClusterHistory {
  readonly writes: Write[] = [];
  readonly #stop: () => void;

  constructor(store: Store, namespace: string) {
    for (const object of store.list('pods', namespace)) this.#note('written', object);
    this.#stop = store.subscribe('pods', ({ type, object }) => {
      if (object.metadata.namespace === namespace) this.#note(type === 'DELETED' ? 'deleted' : 'written', object);
    });
    store.onRewind(() => this.writes.push({ kind: 'rewound', at: performance.now() }));
  }

  close(): void {
    this.#stop();
  }

  #note(kind: 'written' | 'deleted', object: ApiObject): void {
    this.writes.push({ kind, at: performance.now(), pod: seen(object) });
  }
}

/** A pod as a client would see it. */
function seen({ metadata, status }: ApiObject): SeenPod {
  const { uid, resourceVersion, name, labels } = metadata;
  return { uid, resourceVersion, name, phase: text(status?.['phase']), labels: labelsText(labels) };
}
