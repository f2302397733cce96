/**
 * Whether a stream was failed from outside while nobody waited for its next message, so that nobody was told yet. One
 * that does not say cannot have been.
 */
export function hasFailed(stream: object): boolean {
  return 'hasFailed' in stream && stream.hasFailed === true;
}
