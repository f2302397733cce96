import type { Peer } from '../apiserver/peer.ts';

/**
 * GitLab's agent server, as the one who answers.
 *
 * Before 18.7 it passes headers of a cluster's on, so the one by which it says that GitLab has refused proves nothing by
 * itself. But to whatever it passes on it adds `Via`, and to its own refusals it does not.
 */
export const KAS: Peer = {
  name: 'GitLab Agent Server',
  hop: 'kas',
  remedies: {},
  isOfGitlab: (headers) => headers['gitlab-unauthorized'] === 'true' && headers.via === undefined,
};
