import type { Credentials } from '../sources/credentials.ts';
import type { Donor } from '../sources/source.ts';
import type { UpstreamError } from '../sources/upstream-error.ts';
import type { Viewer } from './viewer.ts';

/** A viewer who lends their credentials to a watch that they look at themselves. */
export class ViewerDonor implements Donor {
  readonly viewer: Viewer;
  readonly #onRefused: (error: UpstreamError) => void;

  constructor(viewer: Viewer, onRefused: (error: UpstreamError) => void) {
    this.viewer = viewer;
    this.#onRefused = onRefused;
  }

  get credentials(): Credentials {
    return this.viewer.credentials;
  }

  refused(error: UpstreamError): void {
    this.#onRefused(error);
  }
}

export function isDonor(viewer: Viewer, donor: Donor): boolean {
  return donor instanceof ViewerDonor && donor.viewer.id === viewer.id;
}
