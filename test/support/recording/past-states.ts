import { createHash } from 'node:crypto';
import type { Write } from './cluster-history.ts';
import type { SeenPod } from './recording.ts';

type Versioned = Pick<SeenPod, 'uid' | 'resourceVersion'>;

/**
 * Every state a cluster was ever in, found by its contents. A state is known by a digest of its set of uid and
 * resourceVersion that can be kept up to date change by change.
 */
export class PastStates {
  /** Digest of a state → after how many writes the cluster was in it, in order. */
  readonly #at = new Map<bigint, number[]>([[0n, [0]]]);
  /** Every version of every pod that existed. */
  readonly #versions = new Map<string, SeenPod>();
  readonly #times: number[];
  readonly #final = new Map<string, SeenPod>();

  constructor(writes: readonly Write[]) {
    let digest = 0n;
    this.#times = writes.map(({ at }) => at);
    for (const [index, write] of writes.entries()) {
      digest = write.kind === 'rewound' ? 0n : digest ^ this.#difference(write.kind, write.pod);
      if (write.kind === 'rewound') this.#final.clear();
      const known = this.#at.get(digest);
      if (known === undefined) this.#at.set(digest, [index + 1]);
      else known.push(index + 1);
    }
  }

  /** The number of writes. */
  get length(): number {
    return this.#times.length;
  }

  /** What the cluster holds in the end, by uid. */
  get final(): ReadonlyMap<string, SeenPod> {
    return this.#final;
  }

  /** When a write happened; they are numbered from 1. */
  timeOf(write: number): number {
    return this.#times[write - 1] ?? 0;
  }

  /** After how many writes the cluster was in this state, each time before `at`; states come back. */
  writesBefore(digest: bigint, at: number): number[] {
    return (this.#at.get(digest) ?? []).filter((write) => this.timeOf(write) <= at);
  }

  /** The pod as it was at this version, if there was one. */
  version({ uid, resourceVersion }: Versioned): SeenPod | undefined {
    return this.#versions.get(`${uid}@${resourceVersion}`);
  }

  #difference(kind: 'written' | 'deleted', pod: SeenPod): bigint {
    const before = this.#final.get(pod.uid);
    const gone = before === undefined ? 0n : digestOf(before);
    if (kind === 'deleted') {
      this.#final.delete(pod.uid);
      return gone;
    }
    this.#final.set(pod.uid, pod);
    this.#versions.set(`${pod.uid}@${pod.resourceVersion}`, pod);
    return gone ^ digestOf(pod);
  }
}

/** Digests of the members of a set, combined by exclusive or, are the digest of the set. */
export function digestOf({ uid, resourceVersion }: Versioned): bigint {
  return createHash('sha256').update(`${uid}@${resourceVersion}`).digest().readBigUInt64BE();
}
