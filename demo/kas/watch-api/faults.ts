import type { Answer } from '../../apiserver/effects.ts';

/** What a test may make of KAS's aggregated watch. Each stays until it is taken back. */
export class WatchApiFaults {
  /** A KAS that has no aggregated watch: both requests fall through to the cluster, which knows no such path. */
  absent = false;
  refuseToken: Answer | undefined;
  refuseUpgrade: Answer | undefined;
  /** Connections that are accepted and then never answer a ping nor send anything. */
  silentConnections = false;
  /** A KAS that does not know `resource_version`: each watch begins with everything there is. */
  ignoreResourceVersion = false;
  /** A KAS that does not pass bookmarks on. */
  withholdBookmarks = false;
  /** A KAS that never learned to `unwatch`. */
  dropUnwatch = false;
}
