/** A stream that can be failed from outside, while nobody waits for its next message. */
export interface Failing {
  /** It has failed, whether or not anybody was told yet. */
  readonly hasFailed: boolean;
}

/** What does not say cannot have failed in silence. */
export function hasFailed(stream: object): boolean {
  return 'hasFailed' in stream && stream.hasFailed === true;
}
