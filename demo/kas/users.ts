import { randomBytes } from 'node:crypto';
import type { User as ClusterUser } from '../apiserver/rbac.ts';
import type { Credentials } from './credentials.ts';
import { KasError, unauthorized } from './status.ts';

export interface UserOptions {
  token?: string | undefined;
  cookie?: string | undefined;
  csrf?: string | undefined;
  /** Beside `gitlab:user` and `system:authenticated`. */
  groups?: readonly string[] | undefined;
  /** Agents the user may reach; all when left out. */
  agents?: readonly number[] | undefined;
}

/** A GitLab user. Its fields may be changed at any time; the next request feels it. */
export interface GitlabUser {
  readonly name: string;
  token: string;
  cookie: string;
  csrf: string;
  groups: readonly string[];
  agents: readonly number[] | undefined;
  /** Signed out, expired, or taken away: nothing of theirs is accepted. */
  revoked: boolean;
}

/** GitLab's side: who owns which token or session, and which agents they may use. */
export class GitlabUsers {
  readonly #users = new Map<string, GitlabUser>();
  /** Set to true, GitLab answers 500: nobody can be authorized. */
  failing = false;

  /** Makes a user, or changes what is given of an existing one. */
  set(name: string, options: UserOptions = {}): GitlabUser {
    const existing = this.#users.get(name);
    const user: GitlabUser = existing ?? {
      name,
      token: `glpat-${randomBytes(10).toString('hex')}`,
      cookie: randomBytes(16).toString('hex'),
      csrf: randomBytes(16).toString('hex'),
      groups: [],
      agents: undefined,
      revoked: false,
    };
    if (options.token !== undefined) user.token = options.token;
    if (options.cookie !== undefined) user.cookie = options.cookie;
    if (options.csrf !== undefined) user.csrf = options.csrf;
    if (options.groups !== undefined) user.groups = options.groups;
    if (options.agents !== undefined) user.agents = options.agents;
    this.#users.set(name, user);
    return user;
  }

  find(name: string): GitlabUser | undefined {
    return this.#users.get(name);
  }

  /** The user these credentials belong to. Every refusal is the same, so that nobody learns which agents exist. */
  authorize(credentials: Credentials): GitlabUser {
    if (this.failing) throw new KasError(500, 'InternalError', 'Failed to authorize user session');
    if (credentials.kind === 'ci') throw unauthorized('CI job token');
    const user = [...this.#users.values()].find((candidate) => owns(candidate, credentials));
    const mayUseAgent = user?.agents === undefined || user.agents.includes(credentials.agentId);
    if (!user || user.revoked || !mayUseAgent) throw unauthorized();
    return user;
  }
}

function owns(user: GitlabUser, credentials: Credentials): boolean {
  if (credentials.kind === 'cookie') return user.cookie === credentials.cookie && user.csrf === credentials.csrf;
  return user.token === credentials.token;
}

/** Who the cluster sees under `access_as: user`. */
export function impersonated(user: GitlabUser): ClusterUser {
  return { name: `gitlab:user:${user.name}`, groups: ['gitlab:user', ...user.groups, 'system:authenticated'] };
}
