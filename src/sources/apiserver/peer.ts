import type { IncomingHttpHeaders } from 'node:http';
import type { HopName } from '../status.ts';
import type { UpstreamFailure } from '../upstream-error.ts';

/** Who answers our HTTP requests to a cluster, for messages about those that got no answer. */
export interface Peer {
  /** Begins a sentence. */
  readonly name: string;
  readonly hop: HopName;
  /** What to do about a failure, where that is another thing than the error code says. */
  readonly remedies: Partial<Record<UpstreamFailure, string>>;
  /** Whether a 401 with these headers is certainly GitLab's word, and not one that a cluster could have written. */
  readonly isOfGitlab: (headers: Readonly<IncomingHttpHeaders>) => boolean;
}
