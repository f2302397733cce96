import type { KubernetesObject } from '../../kubernetes/object.ts';
import { compareResourceVersions } from '../../kubernetes/resource-version.ts';
import type { ListPage, ListRequest, WatchEvent } from '../upstream.ts';

/**
 * What a reflector has been told of its collection: by uid the latest state, by reference. It is needed where a server
 * can only say what there is, to find out what there is no longer.
 */
export class KnownObjects {
  #objects: Map<string, KubernetesObject>;
  /** Pages of a list that is not complete yet. */
  #pages = new Map<string, KubernetesObject>();
  #listedVersion: string | undefined;

  constructor(objects: Iterable<KubernetesObject> = []) {
    this.#objects = new Map([...objects].map((object) => [object.metadata.uid, object]));
  }

  /** The version of the last complete list. */
  get listedVersion(): string | undefined {
    return this.#listedVersion;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(uid: string): KubernetesObject | undefined {
    return this.#objects.get(uid);
  }

  values(): Iterable<KubernetesObject> {
    return this.#objects.values();
  }

  page({ continueToken }: ListRequest, page: ListPage): void {
    if (continueToken === undefined) this.#pages = new Map();
    for (const item of page.items) this.#pages.set(item.metadata.uid, item);
    if (page.continueToken !== undefined) return;
    this.#objects = this.#pages;
    this.#pages = new Map();
    this.#listedVersion = page.resourceVersion;
  }

  event(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') return;
    const { uid, resourceVersion } = event.object.metadata;
    const known = this.#objects.get(uid)?.metadata.resourceVersion;
    // Two streams overlap while one takes over: the slower of them has no say.
    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) return;
    if (event.type === 'DELETED') this.#objects.delete(uid);
    else this.#objects.set(uid, event.object);
  }
}
